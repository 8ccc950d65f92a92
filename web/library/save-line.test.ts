// The command that the page shows holds all that is on the page, and nothing that stays as it is.
import { expect, test } from 'vitest';
import { draftOf } from './item-draft.ts';
import { saveLine } from './save-line.ts';

const fresh = draftOf(undefined);

test('a new item is saved by its blueprints and its switch', () => {
  expect(saveLine({ ...fresh, blueprintIds: ['b1', 'b2'], deviceTrustOn: true }, 'acme', undefined)).toBe(
    'odette library-item save --integration acme --blueprint b1 --blueprint b2 --device-trust on',
  );
});

test('each setting that is changed has its flag, and no blueprint is said as well', () => {
  const draft = {
    ...fresh,
    enrollmentOptions: 'Enabled',
    launchOptions: 'none',
    certificateScope: 'User',
    appComesFromElsewhere: true,
    removeAppOnRemoval: true,
    extraKeys: '{ "OktaVerify.ReportDiagnostics": false }',
    appConfiguration: '{"a":1}',
  };
  expect(saveLine(draft, 'acme', undefined)).toBe(
    'odette library-item save --integration acme --no-blueprint --device-trust off --enrollment-options Enabled --launch-options none ' +
      `--certificate-scope User --app-from-elsewhere on --remove-app on --managed-preferences '{"OktaVerify.ReportDiagnostics":false}' ` +
      `--app-configuration '{"a":1}'`,
  );
});
