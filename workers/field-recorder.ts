// Records the exchanges of a field test, redacted, as one small file each: what went to disk may be shown to anybody.
import { createHash } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parsePlistDict } from '../adapters/mdm/plist.ts';
import { readSignedData } from '../adapters/pki/signed-data.ts';
import {
  EXCHANGE_CHANNEL,
  type Exchange,
  redact,
  redactPage,
  redactPath,
} from '../domain/field-recording.ts';
import { jsonOf } from '../domain/json.ts';

/** A field test makes some sixty; who forgot the setting fills no disk. */
const MAX_FILES = 1000;
const OPERATIONS = ['GetCACaps', 'GetCACert', 'PKIOperation'];

type Recording = Readonly<Record<string, unknown>> & { readonly label: string };

/**
 * Until the process ends. What cannot be recorded is told to `onFailure` and stops nothing else.
 * @throws Error when the folder cannot be made
 */
export function startFieldRecorder(folder: string, onFailure: (error: unknown) => void): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  subscribe(EXCHANGE_CHANNEL, (message) => {
    try {
      write(folder, recordingOf(message as Exchange));
    } catch (error) {
      onFailure(error);
    }
  });
}

/** Two exchanges of one form are one file. */
function write(folder: string, { label, ...recording }: Recording): void {
  const text = `${JSON.stringify(recording, null, 2)}\n`;
  const name = `${label}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}.json`;
  const files = readdirSync(folder);
  if (files.includes(name) || files.length >= MAX_FILES) return;
  const temporary = path.join(folder, `.${process.pid}-${name}`);
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path.join(folder, name));
}

function recordingOf(exchange: Exchange): Recording {
  if (exchange.kind === 'okta') return oktaRecording(exchange);
  const { pathname, searchParams } = new URL(exchange.url, 'https://odette');
  return pathname === '/mdm'
    ? mdmRecording(exchange)
    : webRecording(exchange, pathname, searchParams.get('operation') ?? '');
}

type DeviceExchange = Extract<Exchange, { kind: 'device' }>;

function mdmRecording({ method, request, response, signature, status }: DeviceExchange): Recording {
  const message = readable(request);
  const command = response.length === 0 ? undefined : readable(response);
  return {
    label: `device-${labelOf(message)}`,
    kind: 'mdm',
    method,
    signature: signatureForm(Buffer.from(signature ?? '', 'base64')),
    request: message,
    status,
    response: command,
  };
}

/** Undefined when it is no property list. */
function readable(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    return redact(parsePlistDict(body)) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** `Authenticate`, `Idle`, `Acknowledged-ProfileList`: words that redaction has kept. */
function labelOf(message: Readonly<Record<string, unknown>> | undefined): string {
  if (message === undefined) return 'unreadable';
  const kind = String(message['MessageType'] ?? message['Status'] ?? '');
  const subject = Object.keys(message).find((name) => /^(QueryResponses|\w+List|Settings)$/.test(name));
  return [kind === '<text>' ? 'other' : kind, subject].filter(Boolean).join('-');
}

/** How it is signed, which real devices and specifications do not agree on. */
function signatureForm(cms: Uint8Array): object | undefined {
  try {
    const { signer } = readSignedData(cms);
    return {
      digest: signer?.digest,
      hasSignedAttributes: signer?.attributes !== undefined,
      hasIndefiniteLengths: cms[1] === 0x80,
      isByMdmScepSigner: /\bCN=MDM SCEP SIGNER\b/.test(signer?.certificate.subject ?? ''),
    };
  } catch {
    return undefined;
  }
}

/** SCEP and the page with the enrollment code: no body is kept, only how a SCEP message is signed. */
function webRecording(
  { method, request, status }: DeviceExchange,
  pathname: string,
  operation: string,
): Recording {
  const isScep = pathname === '/scep' && OPERATIONS.includes(operation);
  return {
    label: isScep ? `scep-${operation}` : 'web',
    kind: isScep ? 'scep' : 'web',
    method,
    path: redactPath(pathname),
    status,
    ...(isScep && { operation, message: signatureForm(request) }),
  };
}

function oktaRecording(exchange: Extract<Exchange, { kind: 'okta' }>): Recording {
  const { method, url, status, contentType = '', response } = exchange;
  const type = contentType.split(';')[0]?.trim() ?? '';
  const isJson = /^application\/(\w+\+)?json$/.test(type);
  const text = Buffer.from(response).toString('utf8');
  const place = redactPath(url.pathname);
  const known = place.split('/').filter((segment) => /^\w[\w-]*$/.test(segment));
  return {
    label: `okta-${isJson ? (known.at(-1) ?? 'other') : 'page'}`,
    kind: 'okta',
    method,
    path: place,
    status,
    response: isJson ? redact(jsonOf(text)) : redactPage(text),
  };
}
