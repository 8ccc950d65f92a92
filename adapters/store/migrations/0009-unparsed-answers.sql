-- Only the last unusable answers of a device are kept.
create index unparsed_answers_device on unparsed_answers (device_id, at desc);
