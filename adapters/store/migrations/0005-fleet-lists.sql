-- Lists over a large fleet: each order that the device list offers, by cursor, and the beginnings that its search looks for.
create index devices_by_name on devices (coalesce(name, ''), id);
create index devices_by_serial on devices (coalesce(serial_number, ''), id);
create index devices_by_user on devices (coalesce(user_name, ''), id);
create index devices_by_contact on devices (coalesce(last_contact_at, '-infinity'), id);
create index devices_name_start on devices (lower(name) text_pattern_ops);
create index devices_serial_start on devices (lower(serial_number) text_pattern_ops);
create index devices_user_start on devices (lower(user_name) text_pattern_ops);
create index device_trust_by_expiry on device_trust (coalesce(certificate_not_after, 'infinity'), device_id);
create index device_trust_by_change on device_trust (changed_at, device_id);
create index device_trust_failure on device_trust (failure_code, device_id) where failure_code is not null;
create index device_trust_phase on device_trust (phase, device_id);
create index rollout_runs_started on rollout_runs (started_at desc, run_id);
