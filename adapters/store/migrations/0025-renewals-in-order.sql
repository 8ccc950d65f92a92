-- Renewals are listed along an index, by the end of the certificate.
drop index certificate_deliveries_due;
create index certificate_deliveries_due on certificate_deliveries (not_after, device_id) where state = 'proven';
create index certificate_deliveries_life on certificate_deliveries ((not_after - not_before)) where state = 'proven';
create index fleet_list_unmanaged on fleet_list (certificate_not_after, device_id) where not managed and certificate_not_after < 'infinity';
