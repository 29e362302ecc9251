-- One row per generation that waits for a person, and by which rule.
select generation, run, phase, probe, original, model, score, policy, rule, reason
from verdicts
where verdict = 'held'
