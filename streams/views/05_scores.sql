-- One row per generation, scorer and definition.
select * from log_scores
