-- One row per probe, written or rephrased.
select * from log_probes
