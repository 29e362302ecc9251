-- One row per model, kernel and scorer: means of all it scored, and without what failed.
with
answered as (
  select
    model,
    kernel,
    count(*) as generations,
    count_if(outcome = 'ok') / count(*) as ok_share,
    count_if(outcome = 'error') as failed
  from generations
  group by model, kernel
),
scored as (
  select
    model,
    kernel,
    scorer,
    count(*) as scored,
    avg(score) as mean,
    avg(score) filter (outcome = 'ok') as mean_ok
  from scored_generations
  group by model, kernel, scorer
)
select
  answered.model,
  answered.kernel,
  scored.scorer,
  answered.generations,
  coalesce(scored.scored, 0) as scored,
  scored.mean,
  scored.mean_ok,
  answered.ok_share,
  answered.failed
from answered
left join scored
  on scored.model = answered.model and scored.kernel is not distinct from answered.kernel
