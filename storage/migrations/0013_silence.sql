-- A wave that was closed while it was paused: nothing is said of it by itself.
alter table waves add column silent integer not null default 0;
