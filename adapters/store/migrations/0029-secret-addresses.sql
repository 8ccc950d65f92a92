-- The address a secret was entered for. What is sent to an address must have one: a stored secret never follows a changed address.

alter table secrets add column address text;
alter table secrets add constraint secrets_address check (
  address is not null or kind not in ('okta_client_secret', 'okta_private_key', 'challenge_password', 'apps_and_books_token')
);
