-- What is swept by age: appended in order of time, so that a few pages of index find it among many millions of rows.
create index device_timeline_age on device_timeline using brin (at);
