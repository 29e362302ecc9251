-- One row per generation that was left out for another, and the one that is kept in the end.
with recursive
pairs as (
  select generation, run, phase, probe, original, model, score, policy, reason, duplicate_of
  from verdicts
  where rule = 'duplicate'
),
-- What a generation was left out for may have been left out later for a better one.
chains as (
  select generation, policy, duplicate_of as kept from pairs
  union
  select chains.generation, chains.policy, pairs.duplicate_of
  from chains
  join pairs on pairs.generation = chains.kept and pairs.policy = chains.policy
),
ends as (
  select generation, policy, kept
  from chains
  anti join (select generation as kept, policy from pairs) using (kept, policy)
)
select pairs.* exclude (reason), ends.kept, pairs.reason
from pairs
left join ends using (generation, policy)
