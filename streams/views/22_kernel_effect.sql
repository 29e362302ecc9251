-- One row per model, scorer and kernel: what the kernel changes, over the probes asked both ways.
select
  model,
  scorer,
  kernel,
  count(*) as probes,
  avg(mean_with) as mean_with,
  avg(mean_without) as mean_without,
  avg(delta) as delta
from probe_effects
group by model, scorer, kernel
