// What search everywhere finds beside devices: pages, what can be done, and integrations and blueprints by name.
import type { NavigateOptions } from '@tanstack/react-router';
import type { Role } from '../labels.ts';

export interface SearchEntry {
  /** Unique in the list. */
  readonly key: string;
  readonly group: 'Devices' | 'Pages' | 'Actions' | 'Integrations' | 'Blueprints';
  readonly label: string;
  readonly hint?: string;
  /** Other words that find it. */
  readonly words?: string;
  /** Who sees it; undefined: everyone. */
  readonly role?: Role;
  readonly to: NavigateOptions;
}

const page = (label: string, to: NavigateOptions, words = '', role?: Role): SearchEntry => ({
  key: `page ${label}`,
  group: 'Pages',
  label,
  words,
  to,
  ...(role && { role }),
});
const action = (label: string, role: Role, to: NavigateOptions, words = ''): SearchEntry => ({
  key: `action ${label}`,
  group: 'Actions',
  label,
  words,
  to,
  role,
});

export const FIXED_ENTRIES: readonly SearchEntry[] = [
  page('Overview', { to: '/' }, 'home to do'),
  page('Integrations', { to: '/integrations' }, 'okta tenants'),
  page('Channels', { to: '/channels' }, 'nanomdm fleet other mdm servers webhook'),
  page('Library', { to: '/library' }, 'apps'),
  page('Okta Verify', { to: '/library/okta-verify' }, 'library item device trust switch'),
  page('Blueprints', { to: '/blueprints' }, 'groups'),
  page('Devices', { to: '/devices' }, 'macs iphones ipads'),
  page('Doctor', { to: '/doctor' }, 'why not managed causes'),
  page('Rollouts', { to: '/rollouts' }, 'failures replays'),
  page('Renewals', { to: '/renewals' }, 'certificates expiry'),
  page('Activity', { to: '/activity' }, 'audit trail log'),
  page('Apple push certificate', { to: '/settings', search: { tab: 'push' } }, 'settings apns'),
  page('Apps and Books licenses', { to: '/settings', search: { tab: 'licenses' } }, 'settings vpp'),
  page(
    'Organization',
    { to: '/settings', search: { tab: 'organization' } },
    'settings name logo enrollment page',
  ),
  page(
    'Notifications',
    { to: '/settings', search: { tab: 'notifications' } },
    'settings webhook slack email alerts',
  ),
  page('People', { to: '/settings', search: { tab: 'people' } }, 'settings users roles', 'admin'),
  page('API tokens', { to: '/settings', search: { tab: 'tokens' } }, 'settings', 'admin'),
  page('About this installation', { to: '/settings', search: { tab: 'about' } }, 'settings version status'),
  page('Account', { to: '/account' }, 'second factor recovery codes'),
  action('Connect an Okta tenant', 'admin', { to: '/integrations/discover' }, 'setup integration add'),
  action('Add a channel', 'admin', { to: '/channels' }, 'nanomdm fleet mdm server'),
  action('Turn Okta Device Trust on or off', 'admin', { to: '/library/okta-verify' }, 'switch'),
  action('Create a blueprint', 'admin', { to: '/blueprints' }, 'add group'),
  action('Create an enrollment code', 'admin', { to: '/blueprints' }, 'enroll add device'),
  action('Replay failed rollouts', 'operator', { to: '/rollouts', search: { state: 'failed' } }, 'retry'),
  action(
    'Show devices that need you',
    'viewer',
    { to: '/devices', search: { bucket: 'needs_you' } },
    'failed',
  ),
  action('Renew the Apple push certificate', 'admin', { to: '/settings', search: { tab: 'push' } }, 'apns'),
  action('Add a person', 'admin', { to: '/settings', search: { tab: 'people' } }, 'invite user'),
  action('Create an API token', 'admin', { to: '/settings', search: { tab: 'tokens' } }, 'cli'),
];

/** Every word of `text` begins a word of the entry. */
export function matches(entry: SearchEntry, text: string): boolean {
  const whole = `${entry.label} ${entry.hint ?? ''} ${entry.words ?? ''}`.toLowerCase();
  const words = [...whole.split(/\s+/), ...whole.split(/[\s.@/-]+/)];
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((wanted) => words.some((word) => word.startsWith(wanted)));
}
