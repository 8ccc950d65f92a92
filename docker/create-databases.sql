-- Run once by the postgres image, as its superuser: a role and its own databases each for Odette and for Temporal. Neither can open the other's.
\getenv odette_password ODETTE_DATABASE_PASSWORD
\getenv temporal_password TEMPORAL_DATABASE_PASSWORD

create role odette login password :'odette_password';
create role temporal login password :'temporal_password';
create database odette owner odette;
create database temporal owner temporal;
create database temporal_visibility owner temporal;
revoke all on database postgres, odette, temporal, temporal_visibility from public;
