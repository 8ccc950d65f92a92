// The proof of a delivery: what the device lists of its certificate.

export interface Proof {
  readonly serialNumber: string;
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly provenAt: Date;
}

/** The CTEs `proven` and `superseded`: the device lists its certificate, and an older proven one is superseded. SQL. */
export const provingDelivery = (of: {
  readonly device: string;
  readonly delivery: string;
  readonly serialNumber: string;
  readonly issuer: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly provenAt: string;
  readonly condition: string;
}): string => `proven as (
       update certificate_deliveries set state = 'proven', serial_number = ${of.serialNumber}, issuer = ${of.issuer}, not_before = ${of.notBefore},
              not_after = ${of.notAfter}, proven_at = ${of.provenAt}
        where id = ${of.delivery} and device_id = ${of.device} and state = 'sent' and ${of.condition} returning reason),
     superseded as (
       update certificate_deliveries set state = 'superseded'
        where device_id = ${of.device} and id <> ${of.delivery} and state = 'proven' and exists (select from proven))`;
