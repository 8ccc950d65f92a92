-- Only the last unusable responses of a device are kept.
create index unparsed_responses_device on unparsed_responses (device_id, at desc);
