import { describe, expect, test } from 'vitest';
import { advance, newSetup, type SetupAnswer, type SetupState } from './setup-wizard.ts';

const key = (secretId: string): SetupAnswer => ({
  step: 'credentials_kind',
  credentialsKind: 'api_services_app',
  secretId,
});
const answered = [
  key('key-1'),
  { step: 'credentials', clientId: '0oa1', secretId: 'key-1' },
  { step: 'connect', confirmed: [] },
  { step: 'okta_tasks' },
] as const satisfies readonly SetupAnswer[];
const setup: SetupState = {
  ...newSetup('setup-1'),
  answers: Object.fromEntries(answered.map((answer) => [answer.step, answer])),
};

describe('an answer about the sign-in given again', () => {
  test('with another key asks anew for what was proven with the old one, and keeps the rest', () => {
    const { answers, step } = advance(setup, key('key-2'));
    expect(Object.keys(answers)).toEqual(['credentials_kind', 'okta_tasks']);
    expect(step).toBe('okta_tasks');
  });

  test('with the same key keeps every answer', () => {
    expect(advance(setup, key('key-1')).answers).toEqual(setup.answers);
  });
});
