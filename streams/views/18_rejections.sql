-- One row per phase and rule: how many generations it rejected.
select phase, rule, count(*) as generations
from rejected
group by phase, rule
