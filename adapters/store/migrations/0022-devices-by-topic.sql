-- Whether enrolled devices still use a push certificate is asked with every status: one look-up for each topic.
create index devices_by_topic on devices (topic, enrollment_status);
