// A device that means harm by what it says of itself: names and errors that steer the terminal, forge log lines, become links in the Temporal
// UI or formulas in a spreadsheet.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cellOf } from '../../api/http/csv.ts';
import { rolloutStart } from '../../workflows/starts.ts';
import { queueFor, startDeviceListener, TOPIC, type DeviceListener } from '../harness/device-listener.ts';
import { ProtocolDevice } from '../harness/protocol-device.ts';

/** As XML says them: ESC, BEL, CSI of C1, right-to-left override, line ends. */
const CONTROLS = '&#27;[2J&#7;&#x9b;31m&#x202e;&#10;&#13;';
const STEERS = /[^\P{Cc}\n\t]|[\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/u;

let listener: DeviceListener;
let device: ProtocolDevice;
let row: { id: string; enrollmentId: string };
beforeAll(async () => {
  listener = await startDeviceListener();
  device = await ProtocolDevice.enroll(listener.url, await listener.newCode());
  [row] = (await listener.database.query('select id, enrollment_id from devices where udid = $1', [
    device.udid,
  ])) as [typeof row];
});
afterAll(() => listener.stop());

const plist = (inside: string) =>
  Buffer.from(`<plist><dict><key>UDID</key><string>${device.udid}</string>${inside}</dict></plist>`);
const field = (key: string, text: string) => `<key>${key}</key><string>${text}</string>`;

test('control characters are removed from all that a device says of itself when it enrolls', async () => {
  const names = [
    'DeviceName',
    'ProductName',
    'Model',
    'ModelName',
    'OSVersion',
    'BuildVersion',
    'SerialNumber',
  ];
  const body = plist(
    field('MessageType', 'Authenticate') +
      field('Topic', TOPIC) +
      names.map((name) => field(name, `a${CONTROLS}${name}`)).join(''),
  );
  expect((await device.sendBytes(body)).status).toBe(200);
  const [recorded] = await listener.database.query(
    'select to_jsonb(devices)::text as text, name from devices',
  );
  expect(recorded).toMatchObject({ name: 'a[2J31m DeviceName' });
  expect((recorded as { text: string }).text).not.toMatch(STEERS);
  expect((await device.updateToken()).status).toBe(200);
});

test('an id with control characters is no id: the message is not taken', async () => {
  const body = Buffer.from(
    `<plist><dict>${field('UDID', `${device.udid}&#27;[2J`)}${field('Status', 'Idle')}</dict></plist>`,
  );
  await device.sendBytes(body);
  const kept = await listener.database.query('select reason from unparsed_responses');
  expect(kept).toContainEqual({ reason: 'not a device message' });
});

test('neither lists nor errors bring any in', async () => {
  [row] = (await listener.database.query('select id, enrollment_id from devices')) as [typeof row];
  const list = await queueFor(listener, row, { requestType: 'ProfileList' });
  expect(await device.idle()).toBe(list);
  const profile = `<dict>${field('PayloadIdentifier', `p${CONTROLS}`)}${field('PayloadUUID', 'u')}${field('PayloadDisplayName', `n${CONTROLS}`)}</dict>`;
  await device.sendBytes(
    plist(
      field('Status', 'Acknowledged') +
        field('CommandUUID', list) +
        `<key>ProfileList</key><array>${profile}</array>`,
    ),
  );
  const refused = await queueFor(listener, row, { requestType: 'InstallProfile' });
  expect(await device.idle()).toBe(refused);
  const cause = `<dict><key>ErrorCode</key><integer>1</integer>${field('ErrorDomain', `D${CONTROLS}`)}${field('USEnglishDescription', `w${CONTROLS}`)}</dict>`;
  await device.sendBytes(
    plist(
      field('Status', 'Error') +
        field('CommandUUID', refused) +
        `<key>ErrorChain</key><array>${cause}</array>`,
    ),
  );
  const [{ profiles }] = (await listener.database.query('select profiles from reported_inventory')) as [
    { profiles: object[] },
  ];
  expect(profiles).toMatchObject([{ identifier: expect.stringMatching(/^p/) as string }]);
  const chains = await listener.database.query(
    `select to_jsonb(commands) as command from commands where uuid = $1`,
    [refused],
  );
  expect(JSON.stringify(chains)).toContain('w[2J');
  for (const said of [profiles, chains])
    JSON.stringify(said, (_key, value: unknown) => {
      if (typeof value === 'string') expect(value).not.toMatch(STEERS);
      return value;
    });
});

test('a name makes no markup in the Temporal UI', () => {
  const label = '[Sign in](https://evil.example) <img src=x>\n# Trusted';
  const { staticSummary } = rolloutStart({ deviceId: 'd', integrationId: null, label }, 'routine').options;
  expect(staticSummary).toBe(
    String.raw`Okta Device Trust for \[Sign in\](https\://evil.example) \<img src=x\> \# Trusted`,
  );
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', ' =1', '＝1', '＠x'])(
  'a name %j is no formula in a spreadsheet',
  (name) => expect(cellOf(name)).toMatch(/^"?'/),
);

test('a cell does not end early, whatever separates cells', () => {
  expect(cellOf('a;=1')).toBe('"a;=1"');
  expect(cellOf('a"\r\n=1')).toBe('"a""\r\n=1"');
  expect(cellOf(-5)).toBe('-5');
});

test('a log line is one line, and steers no terminal', async () => {
  const script = `import { createLog } from '${new URL('../../workers/run-process.ts', import.meta.url).href}';
    createLog('test', 'info').info({ name: 'a\\n{"level":50}\\u001b[2J\\u009b31m\\u202e\\u2028' }, 'heard \\u0007\\u009b');`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    script,
  ]);
  expect(stdout.trim()).not.toMatch(/[^\P{Cc}]|[\u202e\u2028]/u);
  expect(JSON.parse(stdout)).toMatchObject({ name: 'a\n{"level":50}\u001b[2J\u009b31m\u202e\u2028' });
});
