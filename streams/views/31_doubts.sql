-- One row per generation on hold: how near its threshold it is, and how far scorers disagree on it.
with
scored as (
  select generation, phase, scorer, score from scored_generations
  where phase in (select phase from held)
),
-- A place is the share of a phase's scores, by one scorer, that lie below. Equal ones count half.
-- So scorers of different ranges can be compared, and a threshold has a place too.
placed as (
  select
    generation,
    phase,
    scorer,
    (rank() over by_score - 1 + count(*) over (partition by phase, scorer, score) / 2)
      / count(*) over (partition by phase, scorer) as place
  from scored
  window by_score as (partition by phase, scorer order by score)
),
thresholds as (
  select
    phase,
    scorer,
    (count_if(score < threshold) + count_if(score = threshold) / 2) / count(*) as place
  from scored join policies using (phase, scorer)
  where threshold is not null
  group by phase, scorer
),
disputes as (
  select generation, max(place) - min(place) as dispute from placed group by generation
),
distances as (
  select placed.generation, abs(placed.place - thresholds.place) as distance
  from placed join thresholds using (phase, scorer)
)
select
  held.*,
  distance,
  coalesce(dispute, 0) as dispute,
  coalesce(dispute, 0) - coalesce(distance, 0) as doubt
from held
left join disputes using (generation)
left join distances using (generation)
