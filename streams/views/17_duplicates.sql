-- One row per generation that was left out for a better one, and the one that is kept in the end.
with recursive
pairs as (
  select
    generation, run, phase, probe, original, model, score, policy, similarity, reason, duplicate_of
  from verdicts
  where rule = 'duplicate'
),
-- What a generation was left out for may have been left out too, for a still better one. Each round
-- goes from where every row has come to where that one has: a chain of 10,000 takes 14.
chains(generation, policy, kept) using key (generation, policy) as (
  select generation, policy, duplicate_of from pairs
  union
  select chains.generation, chains.policy, further.kept
  from chains
  join recurring.chains as further
    on further.generation = chains.kept and further.policy = chains.policy
)
select pairs.* exclude (similarity, reason), chains.kept, pairs.similarity, pairs.reason
from pairs
left join chains using (generation, policy)
