-- One row per run: how far it is, and what its answers took.
with
started as (
  select run, min(phase) as phase, min(model) as model, min("at") as started_at
  from runs
  group by run
),
requested as (
  select run, count(*) as requests from requests group by run
),
generated as (
  select
    run,
    count(*) as generated,
    count_if(outcome = 'error') as failed,
    sum(prompt_tokens)::bigint as prompt_tokens,
    sum(saved_tokens)::bigint as saved_tokens,
    sum(completion_tokens)::bigint as completion_tokens,
    sum(cost) as cost
  from generations
  group by run
),
scored as (
  select scored_generations.run, count(*) as scored
  from scored_generations
  join policies using (phase, scorer)
  group by scored_generations.run
),
judged as (
  select
    run,
    count(gate_verdict) as gated,
    count_if(verdict <> 'pending') as decided,
    count_if(verdict = 'accepted') as accepted,
    count_if(verdict = 'held') as held,
    count_if(verdict = 'rejected') as rejected
  from verdicts
  group by run
)
select
  run,
  phase,
  model,
  started_at,
  coalesce(requests, 0) as requests,
  coalesce(generated, 0) as generated,
  coalesce(failed, 0) as failed,
  coalesce(scored, 0) as scored,
  coalesce(gated, 0) as gated,
  coalesce(decided, 0) as decided,
  coalesce(accepted, 0) as accepted,
  coalesce(held, 0) as held,
  coalesce(rejected, 0) as rejected,
  coalesce(prompt_tokens, 0) as prompt_tokens,
  coalesce(saved_tokens, 0) as saved_tokens,
  coalesce(completion_tokens, 0) as completion_tokens,
  cost
from started
left join requested using (run)
left join generated using (run)
left join scored using (run)
left join judged using (run)
