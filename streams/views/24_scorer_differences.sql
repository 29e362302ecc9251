-- One row per generation and pair of scorers: what the second gives beyond the first.
select
  first.generation,
  first.run,
  first.phase,
  first.probe,
  first.model,
  first.kernel,
  first.scorer,
  second.scorer as other_scorer,
  first.score,
  second.score as other_score,
  second.score - first.score as delta
from scored_generations as first
join scored_generations as second using (generation)
where first.scorer < second.scorer
