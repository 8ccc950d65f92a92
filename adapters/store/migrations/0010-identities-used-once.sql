-- An identity enrolls one device. Those that are older than an enrollment takes have done so, or never will.
alter table identity_certificates add column used_at timestamptz;
update identity_certificates set used_at = issued_at
 where issued_at < now() - interval '1 day' or sha256(certificate) in (select identity_fingerprint from devices);
