-- One row per record that a step could not use.
select * from log_dead_letters
