-- One row per plan of a run; a run that was taken further has several.
select * from log_runs
