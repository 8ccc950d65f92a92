// A notification as an email, over SMTP with TLS that is checked.
import type { Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import { CataloguedError, type FailureCode } from '../../domain/failures.ts';
import { plainTextOf, subjectOf, type NotificationMessage } from '../../domain/notification-message.ts';
import type { EmailSettings } from '../../domain/notification-target.ts';

/** Connects where Odette may connect to; workers/ joins it. @throws CataloguedError `notify.address_refused` */
export type Connect = (host: string, port: number) => Promise<Socket>;

const TIMEOUT_MS = 10_000;

/**
 * @param password null: the server asks for none
 * @throws CataloguedError `notify.unreachable`, `notify.credentials_refused`, `notify.tls_refused`, `notify.refused`, or what `connect` throws
 */
export async function deliverEmail(
  connect: Connect,
  { host, port, security, username, from, to }: EmailSettings,
  password: string | null,
  id: string,
  message: NotificationMessage,
): Promise<void> {
  const connection = await connect(host, port);
  const transport = createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    getSocket: (_options, done) => done(null, { connection }),
    ...(username !== null && { auth: { user: username, pass: password ?? '' } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await transport.sendMail({
      from,
      to: [...to],
      subject: subjectOf(message),
      text: plainTextOf(message),
      // The same for each attempt: mail programs show what came twice once.
      messageId: `<${id}@odette.invalid>`,
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
  } catch (error) {
    throw asFailure(error, host);
  } finally {
    transport.close();
    connection.destroy();
  }
}

/** Node's codes of a handshake that failed: DEPTH_ZERO_SELF_SIGNED_CERT, ERR_TLS_CERT_ALTNAME_INVALID, … */
export const isTlsCode = (code: string): boolean => /CERT|SSL|TLS|UNABLE_TO/.test(code);

/** Of nodemailer's errors, by their `code`. */
const MEANINGS: Readonly<Record<string, FailureCode>> = {
  EAUTH: 'notify.credentials_refused',
  ENOAUTH: 'notify.credentials_refused',
  ETLS: 'notify.tls_refused',
  EENVELOPE: 'notify.refused',
  EMESSAGE: 'notify.refused',
};

function asFailure(error: unknown, host: string): CataloguedError {
  if (error instanceof CataloguedError) return error;
  const given = error as { code?: unknown; responseCode?: unknown };
  const code = typeof given.code === 'string' ? given.code : 'no response';
  const status = typeof given.responseCode === 'number' ? given.responseCode : undefined;
  const meaning = MEANINGS[code] ?? (isTlsCode(code) ? 'notify.tls_refused' : undefined);
  return new CataloguedError(meaning ?? (status === undefined ? 'notify.unreachable' : 'notify.refused'), {
    facts: { host, reason: code, ...(status !== undefined && { status }) },
  });
}
