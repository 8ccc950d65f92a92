// The console's dialogs and menus, and what else comes and goes on a page, and how each is opened: for what is said of all of them.
// Long, because it is one list.
import { Secret, TOTP } from 'otpauth';
import type { ConsolePage } from './console-page.ts';
import { chooseIn, pressByKey, typeInto } from './keyboard.ts';

/** Asked for where users would be locked out. */
export const POLICY_IS_LIFTED = 'No policy in Okta requires managed devices for these users';

/** What is needed to open one. */
export type Opener = Pick<ConsolePage, 'page' | 'see'>;

export interface Opening {
  readonly at: string;
  /** The page must be as it is loaded: what was opened there before has changed it. */
  readonly isFresh?: true;
  /** What opens; a dialog if it is not said. main: a part of the page, which is looked at as a whole. */
  readonly role?: 'menu' | 'main';
  /** Ends when what opens is there. */
  readonly open: (ours: Opener) => Promise<void>;
}

/** A key on a button that waits for something does nothing. */
const CAN_BE_PRESSED = ':not([disabled], [data-disabled], [data-loading])';

const TWO_FRAMES = `new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(shown))))`;

/** With the keyboard: whatever opens so opens for the mouse. */
const pressed =
  (...names: readonly (string | RegExp)[]) =>
  async (ours: Opener) => {
    for (const name of names) {
      const { page } = ours;
      const item = page.getByRole('menuitem', { name, exact: true });
      const control = page
        .getByRole('button', { name, exact: true })
        .or(item)
        .and(page.locator(CAN_BE_PRESSED))
        .first();
      await control.waitFor();
      // A menu takes the focus a moment after it is shown: a key pressed before would not reach its item.
      if (await item.isVisible())
        do {
          await item.focus();
          await page.evaluate(TWO_FRAMES);
        } while ((await item.and(page.locator(':focus')).count()) === 0);
      await control.press('Enter');
    }
  };

/** Names as in the harness's seeded fleet. */
export const dialogs = (ids: {
  readonly integration: string;
  readonly setup: string;
  readonly blueprint: string;
  readonly emptyBlueprint: string;
  readonly device: string;
  readonly failed: string;
  /** The device that the halted change began with. */
  readonly canary: string;
  readonly gone: string;
  /** A change of a fleet that halted by itself. */
  readonly halted: string;
  /** Of who looks. */
  readonly password: string;
}): Record<string, Opening> => {
  const item = `/library/okta-verify?integration=${ids.integration}`;
  const integration = `/integrations/${ids.integration}`;
  const change =
    (section: string) =>
    async ({ page }: Opener) => {
      const card = page.getByRole('region', { name: section, exact: true });
      await card.getByRole('button', { name: 'Change' }).press('Enter');
    };
  const flip = async ({ page }: Opener) => {
    // A dialog that is still closing lies over the switch.
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.getByRole('switch', { name: 'Okta Device Trust' }).press('Space');
    await page.getByRole('dialog').waitFor();
  };
  const turnOff = async (ours: Opener) => {
    await ours.page.getByText(/^Removed$|^No device is affected/).waitFor();
    const word = ours.page.getByLabel(POLICY_IS_LIFTED);
    if ((await word.count()) > 0) await pressByKey(ours.page, word, 'Space');
    await pressed('Turn off')(ours);
  };
  const withPassword =
    (button: string, confirm?: string) =>
    async (ours: Opener): Promise<void> => {
      await pressed(button)(ours);
      await typeInto(ours.page, 'Your password', ids.password);
      if (confirm !== undefined) await pressed(confirm)(ours);
    };
  const begun = async (ours: Opener): Promise<string> => {
    await withPassword('Set up authenticator app', 'Next')(ours);
    await ours.see('Or enter this key in the app');
    return (await ours.page.getByRole('dialog').locator('code').textContent()) ?? '';
  };
  return {
    'add a channel': { at: '/channels', open: pressed('Add channel') },
    'add a NanoMDM channel': {
      at: '/channels',
      open: async (ours) => {
        await pressed('Add channel')(ours);
        await chooseIn(ours.page, 'Kind', 'NanoMDM');
      },
    },
    'add a label of Fleet': {
      at: '/channels',
      open: async (ours) => {
        await pressed('Add channel', 'Add label')(ours);
        await ours.page.getByLabel('Label 1', { exact: true }).waitFor();
      },
    },
    'change a channel': { at: '/channels', open: pressed('Change: NanoMDM') },
    'test a channel': { at: '/channels', open: pressed('Test: NanoMDM') },
    'adopt devices': { at: '/channels', open: pressed('Adopt devices: NanoMDM') },
    'read a channel': { at: '/channels', open: pressed('Read now: Fleet') },
    'remove a channel': { at: '/channels', open: pressed('Remove: NanoMDM') },
    'add blueprint': { at: '/blueprints', open: pressed('Add blueprint') },
    'rename blueprint': { at: `/blueprints/${ids.blueprint}`, open: pressed('Rename') },
    'remove blueprint': { at: `/blueprints/${ids.emptyBlueprint}`, open: pressed('Remove') },
    'create a code': { at: `/blueprints/${ids.blueprint}`, open: pressed('Create code') },
    'code shown once': { at: `/blueprints/${ids.blueprint}`, open: pressed('Create code', 'Create') },
    'revoke a code': { at: `/blueprints/${ids.blueprint}`, open: pressed('Revoke the code of anyone') },
    'filter devices': { at: '/devices?bucket=needs_you', open: pressed('Filter ▾') },
    'views of devices': {
      at: '/devices?bucket=needs_you',
      open: pressed('Views ▾', 'Save or remove views…'),
    },
    'switch off': { at: item, open: flip },
    'switch on': {
      at: item,
      open: async (ours) => {
        await flip(ours);
        await turnOff(ours);
        await flip(ours);
      },
    },
    'save the item': {
      at: item,
      isFresh: true,
      open: async (ours) => {
        await flip(ours);
        await turnOff(ours);
        await pressed('Save')(ours);
        await ours.page.getByText('Removed', { exact: true }).waitFor();
      },
    },
    'save its settings': {
      at: item,
      isFresh: true,
      open: async (ours) => {
        const removes = ours.page.getByLabel('Remove the Okta Verify app when a device goes out of scope');
        await pressByKey(ours.page, removes, 'Space');
        await pressed('Save')(ours);
        await ours.page.getByText('Okta Verify licenses').waitFor();
      },
    },
    'leave without saving': {
      at: item,
      isFresh: true,
      open: async ({ page }) => {
        const removes = page.getByLabel('Remove the Okta Verify app when a device goes out of scope');
        await pressByKey(page, removes, 'Space');
        await page.getByRole('link', { name: 'Devices', exact: true }).press('Enter');
      },
    },
    'set users': { at: '/devices', open: pressed('Set users…') },
    'waiting list': { at: '/devices', open: pressed('Waiting list') },
    'column menu': { at: '/devices', role: 'menu', open: pressed('Columns') },
    'check by filter': { at: '/devices', open: pressed(/^For all matching devices/, 'Check now') },
    'replay by filter': { at: '/devices', open: pressed(/^For all matching devices/, 'Replay') },
    'renew by filter': { at: '/devices', open: pressed(/^For all matching devices/, 'Renew certificates') },
    'move by filter': { at: '/devices', open: pressed(/^For all matching devices/, 'Move…') },
    'move chosen': {
      at: '/devices',
      open: async (ours) => {
        await ours.page.locator('tbody input[type="checkbox"]').first().press('Space');
        await pressed(/^For 1 selected device/, 'Move…')(ours);
      },
    },
    'check device': { at: `/devices/${ids.device}`, open: pressed('Check device') },
    'device menu': { at: `/devices/${ids.device}`, role: 'menu', open: pressed('More ▾') },
    'renew device': { at: `/devices/${ids.device}`, open: pressed('More ▾', 'Renew certificate now') },
    'edit device': { at: `/devices/${ids.device}`, open: pressed('More ▾', 'User and blueprint…') },
    'remove device': {
      at: `/devices/${ids.device}`,
      open: pressed('More ▾', 'Remove from Okta Device Trust…'),
    },
    'allow a return': { at: `/devices/${ids.device}`, open: pressed('More ▾', 'Allow re-enrollment…') },
    'replay device': { at: `/devices/${ids.failed}`, open: pressed('More ▾', 'Replay rollout') },
    'payload of a device': { at: `/devices/${ids.device}`, open: pressed(/^View /) },
    'forget device': { at: `/devices/${ids.gone}`, open: pressed('More ▾', 'Delete its record…') },
    'replay a group': { at: '/rollouts', open: pressed(/^Replay all/) },
    'stop a replay': { at: '/rollouts', open: pressed('Stop') },
    'change the credentials': { at: integration, open: change('Credentials') },
    'change macOS': { at: integration, open: change('macOS') },
    'change iOS': { at: integration, open: change('iOS and iPadOS') },
    'remove a platform': {
      at: integration,
      open: async (ours) => {
        await pressed('Remove…')(ours);
        await ours.page.getByRole('dialog').getByRole('radio', { name: 'macOS' }).press('Space');
        await ours.page.getByText(/^Type “remove macOS from /).waitFor();
      },
    },
    'halted re-issues': {
      at: integration,
      isFresh: true,
      role: 'main',
      open: ({ page }) => page.getByRole('region', { name: /Was the secret key reset in Okta/ }).waitFor(),
    },
    'iOS key shown once': {
      at: `${integration}/rotation`,
      role: 'main',
      open: async (ours) => {
        await ours.page
          .getByRole('region', { name: 'iOS secret key' })
          .getByRole('button', { name: 'Start' })
          .press('Enter');
        await ours.see('The new key, shown this once');
        const commit = ours.page.getByRole('button', { name: 'I have set it in Okta' });
        await commit.press('Enter');
        await commit.waitFor({ state: 'hidden' });
        // Until its reader leaves the page: Okta may have to be given it again.
        await ours.see('The new key, shown this once');
      },
    },
    'pause a change': { at: '/rollouts', open: pressed('Pause') },
    'resume a change': { at: '/rollouts', open: pressed('Resume') },
    'a change to all at once': { at: '/rollouts', open: pressed('All at once') },
    'abort a change': { at: '/rollouts', open: pressed('Abort') },
    'a change that halted': {
      at: `/fleet-rollouts/${ids.halted}?state=failed`,
      role: 'main',
      open: ({ page }) => page.locator(`a[href="/devices/${ids.canary}"]`).waitFor(),
    },
    'abandon a setup': { at: `/setups/${ids.setup}`, open: pressed('Abandon this setup') },
    'add person': { at: '/settings?tab=people', open: pressed('Add person') },
    'change person': { at: '/settings?tab=people', open: pressed('Change ada') },
    'require a second factor': {
      at: '/settings?tab=people',
      open: async ({ page }) => {
        await page.getByRole('switch', { name: 'Require a second factor' }).press('Space');
      },
    },
    'set up an authenticator app': { at: '/account', open: pressed('Set up authenticator app') },
    'its first code': { at: '/account', open: async (ours) => void (await begun(ours)) },
    'its recovery codes, shown once': {
      at: '/account',
      open: async (ours) => {
        const secret = Secret.fromBase32(await begun(ours));
        await typeInto(ours.page, 'Code', new TOTP({ secret }).generate());
        await pressed('Turn on')(ours);
        await ours.see('Shown this once');
      },
    },
    'new recovery codes': { at: '/account', open: pressed('New recovery codes') },
    'new recovery codes, shown once': {
      at: '/account',
      open: async (ours) => {
        await withPassword('New recovery codes', 'Make new codes')(ours);
        await ours.see('Shown this once');
      },
    },
    'turn a second factor off': { at: '/account', open: pressed('Turn off') },
    'reset a second factor': {
      at: '/settings?tab=people',
      open: pressed('Reset the second factor of ada'),
    },
    'add a notification target': { at: '/settings?tab=notifications', open: pressed('Add target') },
    'add mailboxes': {
      at: '/settings?tab=notifications',
      open: async (ours) => {
        await pressed('Add target')(ours);
        await chooseIn(ours.page, 'Kind', 'Email');
      },
    },
    'signing key of a target, shown once': {
      at: '/settings?tab=notifications',
      open: async (ours) => {
        await pressed('Add target')(ours);
        await typeInto(ours.page, 'Name', 'Pager');
        await typeInto(ours.page, 'URL', 'https://pager.example.com/odette');
        await pressed('Add')(ours);
        await ours.page.getByRole('dialog', { name: 'The signing key of the webhook' }).waitFor();
      },
    },
    'change a target': { at: '/settings?tab=notifications', open: pressed(/^Change /) },
    'test a target': { at: '/settings?tab=notifications', open: pressed(/^Test /) },
    'delete a target': { at: '/settings?tab=notifications', open: pressed(/^Delete /) },
    'create a token': { at: '/settings?tab=tokens', open: pressed('Create token') },
    'token shown once': {
      at: '/settings?tab=tokens',
      open: async (ours) => {
        await pressed('Create token')(ours);
        await typeInto(ours.page, 'Name', 'inventory');
        await pressed('Create')(ours);
        await ours.see('Shown this once');
      },
    },
    'revoke a token': { at: '/settings?tab=tokens', open: pressed('Revoke viewer') },
    'change password': { at: '/', open: pressed('ada', 'Change password') },
    'light or dark': { at: '/', role: 'menu', open: pressed('Light or dark') },
  };
};
