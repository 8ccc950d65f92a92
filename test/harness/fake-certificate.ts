// A certificate on a device of the workflows' tests, and what the device lists of it.
export interface FakeCertificate {
  readonly serialNumber: string;
  readonly unit: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export const asReported = (certificate: FakeCertificate) => ({
  serialNumber: certificate.serialNumber,
  commonName: 'test',
  organizationalUnits: [certificate.unit],
  issuer: 'CN=Pretend Okta',
  notBefore: certificate.notBefore.toISOString(),
  notAfter: certificate.notAfter.toISOString(),
  isIdentity: true,
});
