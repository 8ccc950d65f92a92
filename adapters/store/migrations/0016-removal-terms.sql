-- How a device's payloads would go, by the item that it had last: one that leaves its item is treated as that item said.
alter table device_trust add column removal_terms jsonb;
