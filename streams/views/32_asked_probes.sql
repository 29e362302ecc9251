-- One row per phase and probe that was asked, or has answers: how far that is, and what came of it.
with
requested as (
  select phase, probe, count(*) as requests from requests group by phase, probe
),
answered as (
  select
    phase,
    probe,
    count(*) as generations,
    count_if(verdict = 'pending') as pending,
    count_if(verdict = 'held') as held,
    count_if(verdict = 'accepted') as accepted,
    count_if(verdict = 'rejected' and rule = 'review') as refused,
    count_if(verdict = 'rejected' and rule <> 'review') as rejected
  from verdicts
  group by phase, probe
)
select
  phase,
  probe,
  coalesce(requests, 0) as requests,
  coalesce(generations, 0) as generations,
  coalesce(pending, 0) as pending,
  coalesce(held, 0) as held,
  coalesce(accepted, 0) as accepted,
  coalesce(refused, 0) as refused,
  coalesce(rejected, 0) as rejected
from requested full join answered using (phase, probe)
