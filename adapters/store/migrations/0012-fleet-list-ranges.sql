-- What a search or an expiry finds is sorted by any order: its index carries all of them, so that no row of the list is visited for it.
drop index fleet_list_name, fleet_list_serial, fleet_list_user, fleet_list_expiry;
create index fleet_list_name on fleet_list (name_key, device_id)
  include (segment, serial_key, user_key, contact_at, certificate_not_after, changed_at);
create index fleet_list_serial on fleet_list (serial_key, device_id)
  include (segment, name_key, user_key, contact_at, certificate_not_after, changed_at);
create index fleet_list_user on fleet_list (user_key, device_id)
  include (segment, name_key, serial_key, contact_at, certificate_not_after, changed_at);
create index fleet_list_expiry on fleet_list (certificate_not_after, device_id)
  include (segment, name_key, serial_key, user_key, contact_at, changed_at);
