-- One row per dataset that was materialized.
select * from log_datasets
