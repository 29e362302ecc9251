-- One row per generation that may be trained on.
select
  verdicts.generation,
  verdicts.run,
  verdicts.phase,
  verdicts.probe,
  verdicts.original,
  generations.prompt,
  generations.response,
  verdicts.model,
  verdicts.sample,
  verdicts.score,
  verdicts.policy,
  written.voice,
  written.region
from verdicts
join generations on generations.id = verdicts.generation
left join (
  select probe, min(voice) as voice, min(region) as region from probes group by probe
) as written on written.probe = verdicts.probe
where verdicts.verdict = 'accepted'
