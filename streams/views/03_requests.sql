-- One row per request: one probe, under one condition, for the n-th time.
select * from log_requests
