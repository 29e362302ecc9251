-- One row per record that is no event known here, and so in no other view.
select * from log_unreadable
