-- One row per generation and reviewer: what that reviewer said of it last, and did not withdraw.
select
  generation,
  reviewer,
  min(phase) as phase,
  arg_max(verdict, "offset") as verdict,
  arg_max(note, "offset") as note,
  max("offset") as "offset"
from reviews
group by generation, reviewer
having arg_max(verdict, "offset") <> 'withdrawn'
