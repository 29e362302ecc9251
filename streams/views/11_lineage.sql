-- One row per event, of whatever kind: what it is, where it stands, what led to it.
select id, 'probed' as type, 'probes' as topic, "partition", "offset", "at", run, cause
from probes
union all
select id, 'started' as type, 'runs' as topic, "partition", "offset", "at", run, cause
from runs
union all
select id, 'requested' as type, 'requests' as topic, "partition", "offset", "at", run, cause
from requests
union all
select id, 'generated' as type, 'generations' as topic, "partition", "offset", "at", run, cause
from generations
union all
select id, 'scored' as type, 'scores' as topic, "partition", "offset", "at", run, cause
from scores
union all
select id, 'decided' as type, 'decisions' as topic, "partition", "offset", "at", run, cause
from decisions
union all
select id, 'reviewed' as type, 'reviews' as topic, "partition", "offset", "at", run, cause
from reviews
union all
select id, 'materialized' as type, 'datasets' as topic, "partition", "offset", "at", run, cause
from datasets
union all
select id, 'buried' as type, 'dead-letters' as topic, "partition", "offset", "at", run, cause
from dead_letters
