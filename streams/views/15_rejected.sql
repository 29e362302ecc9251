-- One row per generation that may not be trained on, and by which rule.
select generation, run, phase, probe, original, model, score, policy, rule, reason
from verdicts
where verdict = 'rejected'
