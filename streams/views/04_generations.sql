-- One row per generation, the failed ones too.
select * from log_generations
