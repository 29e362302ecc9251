-- One row per review; of several, the last one counts.
select * from log_reviews
