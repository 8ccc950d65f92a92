-- Okta's records and the devices they may be about find each other by an index, whichever way: by serial number, by login.
create function okta_logins(users jsonb) returns text[] language sql immutable parallel safe
  return (select coalesce(array_agg(lower(each ->> 'login')), '{}') from jsonb_array_elements(users) as each);
drop index okta_devices_serial;
create index okta_devices_serial on okta_devices (integration_id, lower(serial_number));
create index okta_devices_logins on okta_devices using gin (okta_logins(users)) where platform = 'IOS';
drop index devices_serial;
create index devices_serial on devices (lower(serial_number));
create index devices_user on devices (lower(user_name)) where user_name is not null;
