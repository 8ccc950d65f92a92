// Every dialog of the console, and what else comes and goes, over the real API: nothing that axe-core finds, light and dark; each command
// shown is one that the command line or the API understands.
import { Client, Connection } from '@temporalio/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startContractServer, type ContractServer } from '../harness/contract-server.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { openAdminApi, type AdminApi } from '../harness/admin-api.ts';
import { haltFleet } from '../harness/halted-fleet.ts';
import { seedFleet } from '../harness/seeded-fleet.ts';
import { temporalAddress } from '../harness/temporal.ts';
import { openConsole, signIn } from './console-page.ts';
import { dialogs, type Opening } from './dialog-list.ts';
import { outOfReach } from './keyboard.ts';
import { closePages, hasBrowser, sharedBrowser } from './shared-browser.ts';
import { commandsOn, complaintAbout } from './shown-commands.ts';

const ADA = { name: 'ada', password: 'correct horse battery staple' };
/** The component library's menus hold an empty element that takes the focus, which no role is meant for; Escape needs it. */
const isOfLibrary = (line: string): boolean =>
  line.startsWith('aria-required-children: <div') && line.includes('role="menu"');
let browser: Browser;
let api: AdminApi;
let server: ContractServer;
let openings: Record<string, Opening>;

/** Keeps what a key opens something with; of an entry of a menu, which goes, the button of the menu. */
const KEEPS_OPENER = `addEventListener('keydown', ({ key, target }) => {
  if (!['Enter', ' '].includes(key) || target.closest('[role=dialog]') !== null) return;
  const menu = target.closest('[role=menu]');
  globalThis.openedBy = menu === null ? target : document.getElementById(menu.getAttribute('aria-labelledby'));
}, true)`;
/** What has the focus instead of the opener; empty: the opener has it, or is gone. */
const FOCUS_INSTEAD = `openedBy.isConnected && document.activeElement !== openedBy ? document.activeElement.outerHTML.slice(0, 120) : ''`;

/** So that another one can begin. */
async function endRotation(database: Database): Promise<void> {
  await database.query(`update secret_rotations set status = 'abandoned', ended_at = now()`);
}

describe.skipIf(!hasBrowser)('every dialog', () => {
  beforeAll(async () => {
    // A real Temporal server: the status page asks it, and a call that still retries when the API closes would outlive it.
    const temporal = new Client({
      connection: await Connection.connect({ address: await temporalAddress() }),
    });
    [browser, api] = await Promise.all([sharedBrowser(), openAdminApi({ temporal })]);
    server = await startContractServer();
    const { ids, deviceId } = await seedFleet(api.database, api.ring);
    await api.call('POST', '/api/people', { ...ADA, role: 'admin' });
    await api.call('POST', '/api/rollouts/replay', { failureCode: 'mdm.device_silent' });
    const devices = (await api.call('GET', '/api/devices?sort=name')).body.items as {
      id: string;
      bucket: string;
    }[];
    const gone = devices.find(({ bucket }) => bucket === 'out_of_scope')?.id ?? '';
    await api.database.query(`update devices set enrollment_status = 'checked_out' where id = $1`, [gone]);
    const integration = ids['integrations'] ?? '';
    await endRotation(api.database);
    const halted = await haltFleet(api.database, integration, deviceId);
    const blueprint = ids['blueprints'] ?? '';
    const code = { maxUses: 3, expiresInHours: 24 };
    await api.call('POST', `/api/blueprints/${blueprint}/enrollment-codes`, code);
    openings = dialogs({
      integration,
      setup: ids['setups'] ?? '',
      blueprint,
      emptyBlueprint: (await api.call('POST', '/api/blueprints', { name: 'Empty' })).body.id as string,
      device: deviceId,
      canary: deviceId,
      failed: devices.find(({ bucket }) => bucket === 'needs_you')?.id ?? '',
      gone,
      halted,
      password: ADA.password,
    });
  }, 120_000);
  afterAll(async () => {
    await closePages();
    await api?.close();
    await server?.stop();
  });

  test('gives the focus back to what opened it, also when Tab is faster than the dialog', async () => {
    const ours = await openConsole(browser, api.url);
    await signIn(ours, ADA);
    await ours.goTo('/settings?tab=people');
    await ours.page.getByRole('button', { name: 'Add person' }).focus();
    // At the very moment at which the dialog is on the page.
    await ours.page.evaluate(`new MutationObserver((_changes, observer) => {
      if (document.querySelector('[role=dialog]') === null) return;
      observer.disconnect();
      document.querySelector('[role=tab]').focus();
    }).observe(document.body, { childList: true, subtree: true })`);
    await ours.page.keyboard.press('Enter');
    await ours.page.getByRole('dialog').locator(':focus').waitFor();
    await ours.page.keyboard.press('Escape');
    await ours.page.getByRole('dialog').waitFor({ state: 'hidden' });
    await ours.page.getByRole('button', { name: 'Add person' }).and(ours.page.locator(':focus')).waitFor();
    await ours.close();
  }, 120_000);

  test('opens by the keyboard, takes the focus, which Tab carries to all of it, and gives it back; axe-core finds nothing, and its commands are understood', async () => {
    const ours = await openConsole(browser, api.url);
    await ours.page.addInitScript(KEEPS_OPENER);
    await signIn(ours, ADA);
    const focus = ours.page.locator(':focus');
    const found: string[] = [];
    const commands = new Map<string, string>();
    let place = '';
    for (const [name, { at, isFresh, role = 'dialog', open }] of Object.entries(openings)) {
      if (at !== place || isFresh === true) await ours.goTo(at);
      place = at;
      await open(ours);
      const opened = ours.page.getByRole(role);
      await expect.poll(() => opened.isVisible(), { timeout: 60_000, message: `${name} opens` }).toBe(true);
      await opened.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' });
      if (role !== 'main')
        await expect
          .poll(() => opened.and(focus).or(opened.locator(focus)).count(), {
            timeout: 60_000,
            message: `${name} takes the focus`,
          })
          .toBe(1);
      if (role === 'dialog')
        found.push(
          ...(await outOfReach(ours.page, '[role=dialog]')).map(
            (line) => `${name}: Tab does not come to ${line}`,
          ),
        );
      const lines = await ours.findings(role === 'main' ? 'main' : '[role=dialog], [role=menu]');
      found.push(...lines.filter((line) => !isOfLibrary(line)).map((line) => `${name} ${line}`));
      const shown = await commandsOn(ours.page);
      const isAsking = (await opened.getByRole('button', { name: 'Cancel' }).count()) > 0;
      if (isAsking && shown.length === 0) found.push(`${name} shows no command`);
      for (const command of shown) commands.set(command, name);
      if (role === 'main') continue;
      await ours.page.keyboard.press('Escape');
      await opened.waitFor({ state: 'hidden' });
      const instead = () => ours.page.evaluate<string>(FOCUS_INSTEAD);
      await expect.poll(instead, { message: `${name} gives the focus back` }).toBe('');
    }
    for (const [name, at] of Object.entries({
      push: '/settings?tab=push',
      licenses: '/settings?tab=licenses',
    })) {
      await ours.goTo(at);
      for (const command of await commandsOn(ours.page)) commands.set(command, name);
    }
    for (const [command, name] of commands) {
      const complaint = await complaintAbout(command, server.url);
      if (complaint !== undefined) found.push(`${name}: ${complaint}`);
    }
    expect(found).toEqual([]);
    expect([...commands.keys()].filter((command) => command.startsWith('odette')).length).toBeGreaterThan(10);
    expect(ours.complaints).toEqual([]);
    await ours.close();
  }, 900_000);

  test('a command that nobody understands is found', async () => {
    const wrong = [
      'odette rollout reply C02ADA',
      'odette token create NAME --scope all',
      'curl "$ODETTE_URL/api/no-such" -H "Authorization: Bearer $ODETTE_TOKEN"',
      `curl -X POST "$ODETTE_URL/api/blueprints" -d '{"title":"It'\\''s new"}'`,
      'rm -r /',
    ];
    for (const command of wrong)
      expect(await complaintAbout(command, server.url), command).toContain(command);
  });
});
