-- One row per review; `opinions` has those that stand, of which the last one counts.
select * from log_reviews
