-- One row per probe, model, scorer and kernel, where it was asked with the kernel and without it.
with
means as (
  select probe, model, scorer, kernel, avg(score) as mean
  from scored_generations
  where outcome = 'ok'
  group by probe, model, scorer, kernel
)
select
  given.probe,
  given.model,
  given.scorer,
  given.kernel,
  given.mean as mean_with,
  plain.mean as mean_without,
  given.mean - plain.mean as delta
from means as given
join means as plain using (probe, model, scorer)
where given.kernel is not null and plain.kernel is null
