-- One row per generation whose phase has a policy in force: how that policy and people judged it.
with
decided as (
  select
    generation,
    policy,
    any_value(phase) as phase,
    arg_max({verdict: verdict, score: score, finding: findings[1]}, "offset")
      filter (step = 'gate') as gate,
    -- Rejected once is rejected: a better response can only come, not go.
    arg_max(
      {
        verdict: verdict,
        finding: findings[1],
        kept: duplicate_of,
        similarity: similarity,
        mark: fingerprint
      },
      {rejected: verdict = 'rejected', place: "offset"}
    ) filter (step = 'dedup') as dedup
  from decisions
  group by generation, policy
),
-- Of equal texts the best. Should two workers have been at it at once, each may have kept its own.
kept as (
  select
    phase,
    policy,
    dedup.mark as mark,
    arg_min(generation, {score: -gate.score, generation: generation}) as generation
  from decided
  where dedup.mark is not null
  group by phase, policy, dedup.mark
),
reviewed as (
  select generation, arg_max({verdict: verdict, reviewer: reviewer, note: note}, "offset") as review
  from opinions
  group by generation
),
judged as (
  select
    generations.id as generation,
    generations.run,
    generations.phase,
    generations.probe,
    generations.original,
    generations.model,
    generations.kernel,
    generations.sample,
    generations.outcome,
    policies.policy,
    policies.scorer,
    policies.best,
    gate,
    dedup,
    review,
    kept.generation as kept,
    case
      when gate.verdict = 'rejected' then 'gate'
      when gate is null or dedup is null then 'pending'
      when dedup.verdict = 'rejected' or kept.generation <> generations.id then 'dedup'
      when review.verdict = 'rejected' then 'review'
      when gate.verdict = 'held' and review is null then 'held'
      else 'accepted'
    end as decisive
  from generations
  join policies on policies.phase = generations.phase
  left join decided
    on decided.generation = generations.id and decided.policy = policies.policy
  left join kept
    on kept.phase = generations.phase
    and kept.policy = policies.policy
    and kept.mark = dedup.mark
  left join reviewed on reviewed.generation = generations.id
),
-- Which are the best is seen only when all are judged, and seen anew with each that comes.
ranked as (
  select
    *,
    count(*) over (partition by phase, probe) as rivals,
    row_number() over by_score as place,
    nth_value({generation: generation, score: gate.score}, best) over by_score as last_kept
  from judged
  window by_score as (
    partition by phase, probe
    order by decisive <> 'accepted', -gate.score, generation
    rows between unbounded preceding and unbounded following
  )
),
chosen as (
  select * replace (if(decisive = 'accepted' and place > best, 'best', decisive) as decisive)
  from ranked
)
select
  generation,
  run,
  phase,
  probe,
  original,
  model,
  kernel,
  sample,
  outcome,
  policy,
  scorer,
  gate.score as score,
  gate.verdict as gate_verdict,
  case when decisive = 'dedup' then 'rejected' else dedup.verdict end as dedup_verdict,
  review.verdict as review_verdict,
  case
    when decisive in ('gate', 'dedup', 'review', 'best') then 'rejected'
    else decisive
  end as verdict,
  case
    when decisive in ('gate', 'held') then gate.finding.rule
    when decisive = 'dedup' then 'duplicate'
    when decisive in ('review', 'best') then decisive
  end as rule,
  case
    when decisive in ('gate', 'held') then gate.finding.reason
    when decisive = 'dedup' and dedup.verdict = 'rejected' then dedup.finding.reason
    when decisive = 'dedup' then 'The response equals that of ' || kept || ', which is better.'
    when decisive = 'review' and review.note <> '' then review.note
    when decisive = 'review' then review.reviewer || ' rejected it.'
    when decisive = 'best' and gate.score = last_kept.score
      then format('Lost best-of-{} by its id to {}.', rivals, last_kept.generation[:8])
    when decisive = 'best' then format(
      'Lost best-of-{} by {:.3g} to {}.',
      rivals, last_kept.score - gate.score, last_kept.generation[:8]
    )
  end as reason,
  case when decisive = 'dedup' then coalesce(dedup.kept, kept) end as duplicate_of,
  -- Before it was told, only equal texts were duplicates.
  case when decisive = 'dedup' then coalesce(dedup.similarity, 1.0) end as similarity
from chosen
