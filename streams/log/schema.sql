-- The embedded log, format 1.
--
-- A change of this file raises `pragma user_version`, keeps the old format readable, and is told in
-- CHANGELOG.md. A log of a newer format is refused. Records stand in the order in which they were
-- appended (`seq`); an offset counts the records of one partition, from 0, without a gap.

create table if not exists topics (
  id integer primary key,
  name text not null unique,
  partitions integer not null check (partitions > 0)
);

create table if not exists records (
  seq integer primary key,
  topic integer not null references topics (id),
  partition integer not null,
  offset integer not null,
  at_ms integer not null,
  event_id blob,
  key blob,
  value blob,
  headers blob,
  unique (topic, partition, offset)
);

-- An event that the log has already is not appended again.
create unique index if not exists records_by_event_id on records (event_id)
where event_id is not null;

create table if not exists committed (
  consumer_group text not null,
  topic integer not null references topics (id),
  partition integer not null,
  offset integer not null,
  primary key (consumer_group, topic, partition)
) without rowid;

-- `insert or replace` gets past these two: a trigger against it was tried, and took a fifth of the
-- speed of appending. `lem log verify` finds a record whose checksum or id no longer fits.
create trigger if not exists records_are_not_updated before update on records
begin
  select raise(abort, 'a record never changes: append a further event');
end;

create trigger if not exists records_are_not_deleted before delete on records
begin
  select raise(abort, 'a record is never deleted: append a further event');
end;
