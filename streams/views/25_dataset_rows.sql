-- One row per row of a dataset: the generation, and what was asked of whom.
with
listed as (
  select
    id as dataset,
    phase,
    unnest(generations) as generation,
    generate_subscripts(generations, 1) as "row"
  from datasets
),
written as (
  select
    probe,
    min("set") as "set",
    min(domain) as domain,
    min(language) as language,
    min(voice) as voice,
    min(region) as region
  from probes
  group by probe
)
select
  listed.dataset,
  listed.phase,
  listed."row",
  listed.generation,
  generations.run,
  generations.probe,
  generations.original,
  written."set",
  written.domain,
  written.language,
  written.voice,
  written.region,
  generations.model,
  generations.kernel,
  generations.sample
from listed
left join generations on generations.id = listed.generation
left join written on written.probe = generations.probe
