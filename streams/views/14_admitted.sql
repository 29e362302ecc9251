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
  verdicts.policy
from verdicts
join generations on generations.id = verdicts.generation
where verdicts.verdict = 'accepted'
