-- What one transaction did stands in the trail in the order in which it was done.
alter table audit_entries alter column at set default clock_timestamp();
