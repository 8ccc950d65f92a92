-- A license that was given back is on its way until Apple has taken it.
alter table licenses drop constraint licenses_state_check;
alter table licenses add constraint licenses_state_check check (state in ('associating', 'associated', 'failed', 'returning'));
