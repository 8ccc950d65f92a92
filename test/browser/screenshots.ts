// `npm run screenshots [FOLDER]`: pictures of every page of the console over the real product and its sandbox, light, dark and phone.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { haltFleet } from '../harness/halted-fleet.ts';
import { squarePng } from '../harness/png.ts';
import { devicesOf, enrollAll, setUpTrust, untilAllAre, type TrustedWorld } from '../harness/stage.ts';
import { startWorld, type World } from '../harness/world.ts';
import { dialogs, type Opener } from './dialog-list.ts';
import { launchBrowser } from './find-browser.ts';
import {
  consolePages,
  DEVICE_PAGES,
  NOT_DRAWN,
  OKTA_PAGES,
  PUBLIC_PAGES,
  SANDBOX_PAGES,
} from './page-list.ts';

const folder = path.resolve(process.argv[2] ?? 'dist/screenshots');
const ADMIN = { name: 'olga', password: 'a long enough password' };
const LOOKS = [
  { name: 'light', scheme: 'light', width: 1280 },
  { name: 'dark', scheme: 'dark', width: 1280 },
  { name: 'phone', scheme: 'light', width: 390 },
  { name: 'wide', scheme: 'light', width: 1920 },
] as const;

const browser = await launchBrowser();
if (!browser) process.exit(1);
await mkdir(folder, { recursive: true });
const world = await startWorld({ devices: 'default' });
try {
  const origin = `http://${world.environment['ODETTE_ADMIN_LISTEN']}`;
  await world.api('POST', '/api/people', { ...ADMIN, role: 'admin' });
  await photograph(browser, origin, {
    'overview-empty': '/',
    'integrations-empty': '/integrations',
    'blueprints-empty': '/blueprints',
  });
  const trusted = await setUpTrust(world);
  await world.api('PUT', '/api/organization', { name: 'Acme', logo: squarePng(64).toString('base64') });
  const { id: setup } = (await world.api<{ id: string }>('POST', '/api/setups', {})).body;
  // To the step that says most: what to do in Okta, and what Okta shows only once.
  const { host } = await world.manage<{ host: string }>('GET', '/tenants/two');
  for (const answer of [
    { step: 'get_started' },
    { step: 'okta_domain', domain: host },
    { step: 'credentials_kind', credentialsKind: 'api_service_integration' },
  ])
    await world.api('POST', `/api/setups/${setup}/answers`, answer);
  await enrollAll(trusted);
  await untilAllAre(trusted, ['trusted'], { count: 6, withinMs: 120_000 });
  const [device] = await devicesOf(trusted);
  const ids = {
    integration: trusted.integrationId,
    setup,
    blueprint: trusted.blueprintId,
    device: device?.id ?? '',
    emptyBlueprint: trusted.blueprintId,
    gone: device?.id ?? '',
  };
  await photograph(browser, origin, { ...PUBLIC_PAGES, ...consolePages(ids) });
  await photograph(browser, world.environment['ODETTE_PUBLIC_URL'] ?? '', DEVICE_PAGES);
  await photograph(browser, world.sandbox.management, SANDBOX_PAGES);
  await photograph(browser, world.sandbox.tenants[0]?.url ?? '', OKTA_PAGES);
  const odd = await crowd(world, trusted);
  await photograph(browser, origin, {
    'overview-many': '/',
    'blueprints-many': '/blueprints',
    'blueprint-long-name': `/blueprints/${odd.blueprint}`,
    'devices-many': '/devices',
    'device-failed': `/devices/${odd.failed}`,
    'rollouts-many': '/rollouts?state=failed',
    'okta-verify-many': `/library/okta-verify?integration=${ids.integration}`,
  });
  await photographDialogs(browser, origin, {
    ...ids,
    failed: odd.failed,
    canary: odd.failed,
    halted: odd.halted,
    password: ADMIN.password,
  });
  // What an admin sees while parts of Odette do not answer.
  await world.kill('temporal');
  await photograph(browser, origin, {
    'about-parts-down': '/settings?tab=about',
    'overview-parts-down': '/',
  });
  console.log(`Screenshots: ${folder}`);
} finally {
  await browser.close();
  await world.stop();
}

/** Long names, many of everything, failures of several causes and a replay that waits: what a small fleet does not show. */
async function crowd(
  of: World,
  { blueprintId: assigned, integrationId }: TrustedWorld,
): Promise<{ blueprint: string; failed: string; halted: string }> {
  const database = connectDatabase(of.databaseUrl, { max: 1 });
  const long = 'Everybody in the northern offices, the warehouse and the three shops that joined in autumn';
  const { id: blueprint } = (await of.api<{ id: string }>('POST', '/api/blueprints', { name: long })).body;
  for (let number = 1; number <= 12; number += 1)
    await of.api('POST', '/api/blueprints', { name: `Team ${number}` });
  await database.query(
    `with made as (
       insert into devices (family, platform, udid, serial_number, name, model, os_version, user_name, blueprint_id, enrollment_status,
         enrollment_id, identity_fingerprint, enrolled_at, last_contact_at)
       select case when n % 3 = 0 then 'iPhone' else 'Mac' end, case when n % 3 = 0 then 'iOS' else 'macOS' end, 'UDID-' || n,
              'C02LOOK' || lpad(n::text, 4, '0'),
              case when n % 9 = 0 then 'The MacBook Pro of Wilhelmina-Alexandrina van der Berg-Oosterhuis (loan, 2nd floor)' else 'mac-' || n end,
              'Mac14,2', '26.1', 'user' || n || '@a-rather-long-company-name.example', case when n % 4 = 0 then $1::uuid else $2::uuid end,
              'enrolled', gen_random_uuid(), decode(md5(n::text) || md5(n::text), 'hex'), now(), now() - make_interval(hours => n)
         from generate_series(1, 140) as n returning id, serial_number)
     insert into device_trust (device_id, integration_id, bucket, delivered, certificate_present, okta_verify_managed, phase, waits_for, failure_code)
     select made.id, (select id from integrations limit 1),
            (array['trusted', 'needs_user', 'in_progress', 'needs_you'])[1 + right(serial_number, 4)::int % 4],
            right(serial_number, 4)::int % 4 < 2, right(serial_number, 4)::int % 2 = 0, true,
            (array['delivered', 'delivered', 'app', 'failed'])[1 + right(serial_number, 4)::int % 4],
            'Waits for the device: it was asked to wake up and has not responded.',
            case when right(serial_number, 4)::int % 4 = 3
                 then (array['mdm.device_silent', 'mdm.profile_refused', 'apps_and_books.no_license_left'])[1 + right(serial_number, 4)::int % 3] end
       from made`,
    [blueprint, assigned],
  );
  await database.query(
    `insert into rollout_runs (run_id, device_id, workflow_id, started_at, closed_at, outcome, failure_code)
       select gen_random_uuid()::text, device_id, 'rollout/' || device_id, now() - interval '3 hours', now() - interval '1 hour', 'failed', failure_code
         from device_trust where failure_code is not null`,
  );
  const [row] = await database.query<{ id: string }>(
    `select device_id as id from device_trust where failure_code is not null limit 1`,
  );
  await of.kill('relay');
  const reason = 'The network of the warehouse works again';
  await of.api('POST', '/api/rollouts/replay', { failureCode: 'mdm.device_silent', reason });
  const failed = row?.id ?? '';
  const halted = await haltFleet(database, integrationId, failed);
  await database.end();
  return { blueprint, failed, halted };
}

async function photographDialogs(
  by: Browser,
  origin: string,
  ids: Parameters<typeof dialogs>[0],
): Promise<void> {
  const shown = [
    'switch off',
    'save the item',
    'replay a group',
    'stop a replay',
    'remove device',
    'remove a platform',
    'halted re-issues',
    'abort a change',
    'a change that halted',
    'create a code',
    'token shown once',
    'change macOS',
  ];
  for (const { name: look, scheme, width } of LOOKS) {
    const page = await openPage(by, origin, { scheme, width });
    const ours: Opener = {
      page,
      see: (text) => page.getByText(text).first().waitFor(),
    };
    for (const [name, { at, role = 'dialog', open }] of Object.entries(dialogs(ids)).filter(([name]) =>
      shown.includes(name),
    )) {
      await page.goto(at);
      await page.locator('h1').first().waitFor();
      await open(ours);
      await page.getByRole(role).waitFor();
      await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' });
      await page.screenshot({ path: path.join(folder, `dialog-${name.replaceAll(' ', '-')}-${look}.png`) });
    }
    await page.context().close();
  }
}

async function openPage(
  by: Browser,
  origin: string,
  { scheme, width }: Pick<(typeof LOOKS)[number], 'scheme' | 'width'>,
): Promise<Page> {
  const context = await by.newContext({
    viewport: { width, height: 860 },
    colorScheme: scheme,
    reducedMotion: 'reduce',
    locale: 'en-US',
    baseURL: origin,
    // The sandbox's own authority is not the browser's.
    ignoreHTTPSErrors: true,
  });
  // Only the console's own origin takes it; the other pages are for anybody.
  await context.request.post('/api/session', { data: ADMIN, headers: { 'sec-fetch-site': 'same-origin' } });
  return context.newPage();
}

async function photograph(
  by: Browser,
  origin: string,
  pages: Readonly<Record<string, string>>,
): Promise<void> {
  for (const { name: look, scheme, width } of LOOKS) {
    const page = await openPage(by, origin, { scheme, width });
    for (const [name, address] of Object.entries(pages)) {
      await page.goto(address);
      await page.locator('h1').first().waitFor();
      await page.locator(`[aria-busy="true"], ${NOT_DRAWN}`).first().waitFor({ state: 'detached' });
      // As tall as the page: what sticks to the window's edge would else lie across the middle.
      const height = await page.evaluate<number>('document.documentElement.scrollHeight');
      await page.setViewportSize({ width, height: Math.max(860, height) });
      await page.evaluate(
        'new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))',
      );
      await page.screenshot({ path: path.join(folder, `${name}-${look}.png`) });
      await page.setViewportSize({ width, height: 860 });
    }
    await page.context().close();
  }
}
