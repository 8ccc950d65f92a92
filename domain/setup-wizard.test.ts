import { describe, expect, test } from 'vitest';
import { advance, newSetup, type SetupAnswer, type SetupState } from './setup-wizard.ts';

const key = (secretId: string): SetupAnswer => ({
  step: 'install_api_integration',
  credentialsKind: 'api_services_app',
  secretId,
});
const answered = [
  key('key-1'),
  { step: 'credentials', clientId: '0oa1', secretId: 'key-1' },
  { step: 'connect', confirmed: [] },
  { step: 'device_integrations' },
] as const satisfies readonly SetupAnswer[];
const setup: SetupState = {
  ...newSetup('setup-1'),
  answers: Object.fromEntries(answered.map((answer) => [answer.step, answer])),
};

describe('an answer about the sign-in given again', () => {
  test('with another key asks anew for what was proven with the old one, and keeps the rest', () => {
    const { answers, step } = advance(setup, key('key-2'));
    expect(Object.keys(answers)).toEqual(['install_api_integration', 'device_integrations']);
    expect(step).toBe('credentials');
  });

  test('with the same key keeps every answer', () => {
    expect(advance(setup, key('key-1')).answers).toEqual(setup.answers);
  });
});
