-- People of the identity provider: known by its issuer and their subject there, never by a name.
alter table people add column issuer text, add column subject text;
alter table people add constraint people_subject unique (issuer, subject);
alter table people add constraint people_come_from_one_place check (is_local = (issuer is null) and (issuer is null) = (subject is null));
