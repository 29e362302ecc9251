-- One row per generation and scorer that scored it: the newest of those scores.
select
  generations.id as generation,
  generations.run,
  generations.phase,
  generations.probe,
  generations.original,
  generations.model,
  generations.kernel,
  generations.sample,
  generations.outcome,
  newest.scorer,
  newest.score
from (
  select generation, scorer, arg_max(score, "offset") as score
  from scores
  group by generation, scorer
) as newest
join generations on generations.id = newest.generation
