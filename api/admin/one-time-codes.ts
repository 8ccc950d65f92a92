// One-time codes of an authenticator app (RFC 6238: SHA-1, six digits, 30 seconds, as every app takes them) and recovery codes.
import { randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { sha256 } from './passwords.ts';

/** RFC 4226, section 4: 160 bits. */
const KEY_BYTES = 20;
/** RFC 6238, section 5.2: one step for a slow network and a clock that is a little off. */
const WINDOW_STEPS = 1;
const RECOVERY_CODES = 10;
/** 80 bits: nobody guesses one, so that a plain hash is enough. */
const RECOVERY_CODE_BYTES = 10;

export const newCodeKey = (): Buffer => randomBytes(KEY_BYTES);

const totpOf = (key: Buffer, label = ''): TOTP =>
  new TOTP({ issuer: 'Odette', label, secret: new Secret({ buffer: Uint8Array.from(key).buffer }) });

/** What an app reads; `label` tells its accounts apart. */
export function authenticatorKey(key: Buffer, label: string): { uri: string; key: string } {
  const totp = totpOf(key, label);
  return { uri: totp.toString(), key: totp.secret.base32 };
}

/** The time step that a code is of, so that it is taken once; undefined: of none around now. */
export function timeStepOf(key: Buffer, code: string, now = Date.now()): number | undefined {
  const totp = totpOf(key);
  const delta = totp.validate({ token: code, timestamp: now, window: WINDOW_STEPS });
  return delta === null ? undefined : totp.counter({ timestamp: now }) + delta;
}

/** As people type it: blanks and dashes say nothing, and case neither. */
export const normalizedCode = (typed: string): string => typed.replaceAll(/[\s-]/g, '').toUpperCase();

export const isAppCode = (code: string): boolean => /^\d{6}$/.test(code);

export const recoveryCodeHash = (code: string): Buffer => sha256(normalizedCode(code));

/** ABCD-EFGH-IJKL-MNOP, in Base32. */
export const newRecoveryCodes = (): string[] =>
  Array.from({ length: RECOVERY_CODES }, () => {
    const { base32 } = new Secret({ buffer: Uint8Array.from(randomBytes(RECOVERY_CODE_BYTES)).buffer });
    return base32.match(/.{4}/g)?.join('-') ?? base32;
  });
