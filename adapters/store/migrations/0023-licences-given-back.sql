-- A licence that was given back is on its way until Apple has taken it.
alter table licences drop constraint licences_state_check;
alter table licences add constraint licences_state_check check (state in ('associating', 'associated', 'failed', 'returning'));
