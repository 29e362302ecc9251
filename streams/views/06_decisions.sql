-- One row per decision of the gate or of dedup.
select * from log_decisions
