// Settings of this installation: Apple's push certificate, Apps and Books token, organization, notifications, people, API tokens, about.
import { Tabs } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Page } from '../components/page.tsx';
import { useMay } from '../shell/session.ts';
import { About } from './about.tsx';
import { Licenses } from './licenses.tsx';
import { Notifications } from './notifications.tsx';
import { Organization } from './organization.tsx';
import { People } from './people.tsx';
import { PushCertificate } from './push-certificate.tsx';
import { Tokens } from './tokens.tsx';

const TABS = {
  push: {
    label: 'Push certificate',
    Panel: PushCertificate,
    isForAdmins: false,
    help: 'operations-guide#push-certificate',
  },
  licenses: {
    label: 'Apps and Books',
    Panel: Licenses,
    isForAdmins: false,
    help: 'operations-guide#apps-and-books-token',
  },
  organization: {
    label: 'Organization',
    Panel: Organization,
    isForAdmins: false,
    help: 'operations-guide#name-and-logo',
  },
  notifications: { label: 'Notifications', Panel: Notifications, isForAdmins: true, help: 'notifications' },
  people: { label: 'People', Panel: People, isForAdmins: true, help: 'operations-guide#second-factor' },
  tokens: { label: 'API tokens', Panel: Tokens, isForAdmins: true, help: undefined },
  about: { label: 'About', Panel: About, isForAdmins: false, help: 'operations-guide#processes-and-ports' },
} as const;
type Tab = keyof typeof TABS;

export function SettingsPage() {
  const { tab = 'push' } = useSearch({ from: '/inside/settings' });
  const navigate = useNavigate();
  const isAdmin = useMay('admin');
  const shown = (Object.keys(TABS) as Tab[]).filter((name) => isAdmin || !TABS[name].isForAdmins);
  return (
    <Page title="Settings" help={TABS[tab].help}>
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(value) => void navigate({ to: '/settings', search: { tab: value as Tab } })}
      >
        <Tabs.List>
          {shown.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {TABS[name].label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {shown.map((name) => {
          const { Panel } = TABS[name];
          return (
            <Tabs.Panel key={name} value={name} pt="lg">
              <Panel />
            </Tabs.Panel>
          );
        })}
      </Tabs>
    </Page>
  );
}
