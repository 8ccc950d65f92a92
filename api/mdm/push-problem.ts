// Whether Odette can wake a device with what its Authenticate or TokenUpdate says.
import type { Sql } from '../../adapters/store/base/database.ts';
import { findPushCertificate } from '../../adapters/store/devices/push-certificates.ts';
import type { PushProblem } from '../../domain/device.ts';

/** @param message a TokenUpdate has token and magic, and a push needs both */
export async function pushProblemOf(
  sql: Sql,
  message: { readonly topic: string; readonly token?: Buffer; readonly pushMagic?: string },
): Promise<PushProblem | null> {
  if (message.token?.length === 0 || message.pushMagic === '') return 'no_push_token';
  return (await findPushCertificate(sql, message.topic)) ? null : 'other_topic';
}

export const PUSH_PROBLEMS: Readonly<Record<PushProblem, string>> = {
  no_push_token: 'The device sent no push token: Odette cannot wake it.',
  other_topic:
    'The device enrolled with a push topic that Odette has no certificate for: Odette cannot wake it.',
};
