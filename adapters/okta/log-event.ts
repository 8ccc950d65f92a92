// A `pki.cert.bind` of Okta's System Log: a sign-in used a certificate of this device for the first time.
// developer.okta.com/docs/reference/api/event-types: "the device appears in the Admin Console as managed device".
import { z } from 'zod';
import { recordedText } from '../../domain/recorded-text.ts';

export interface CertificateBinding {
  /** Okta's id of the device. */
  readonly oktaId: string;
  /** Of the certificate, where the event names one. */
  readonly serialNumber: string | null;
  readonly at: string; // ISO 8601
}

export const LogEventResponse = z.object({
  published: z.date(),
  target: z
    .array(
      z.object({
        id: z.string().nullish(),
        type: z.string().nullish(),
        detailEntry: z.record(z.string(), z.unknown()).nullish(),
      }),
    )
    .nullish(),
});

const DEVICE_ID = /^guo[0-9A-Za-z]{1,64}$/;
const SERIAL_NUMBER = /^[0-9a-f:]{2,128}$/i;

/** undefined: the event names no device. Okta does not publish which details a target carries: what is there is used. */
export function readBinding({
  published,
  target,
}: z.infer<typeof LogEventResponse>): CertificateBinding | undefined {
  const oktaId = target?.find(({ id }) => DEVICE_ID.test(id ?? ''))?.id;
  if (oktaId === undefined || oktaId === null) return undefined;
  const details = (target ?? []).flatMap(({ detailEntry }) => Object.entries(detailEntry ?? {}));
  const named = details.find(
    ([name, value]) =>
      /^(certificate)?serial(number)?$/i.test(name) && typeof value === 'string' && SERIAL_NUMBER.test(value),
  )?.[1];
  return {
    oktaId: recordedText(oktaId),
    serialNumber: typeof named === 'string' ? named.toLowerCase() : null,
    at: published.toISOString(),
  };
}
