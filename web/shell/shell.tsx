// What stands around every page once somebody is signed in: navigation, who they are, and what would break the whole fleet.
import {
  ActionIcon,
  AppShell,
  Badge,
  Burger,
  Button,
  Group,
  Menu,
  Text,
  Title,
  useMantineColorScheme,
  VisuallyHidden,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { Navigate, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { EntryLink } from '../components/links.tsx';
import { useEffect, useState, type ReactNode } from 'react';
import { ApiProblem, call } from '../client.ts';
import {
  ArrowsIcon,
  BooksIcon,
  CalendarIcon,
  GearIcon,
  HouseIcon,
  LaptopIcon,
  LayersIcon,
  ListIcon,
  PlugIcon,
  PulseIcon,
  RocketIcon,
  ShieldIcon,
  SunIcon,
} from '../components/icons.tsx';
import { ProblemAlert } from '../components/problem-alert.tsx';
import { countText } from '../labels.ts';
import { useApiQuery } from '../queries.ts';
import { SearchButton } from '../search/search-button.tsx';
import { Alarms } from './alarms.tsx';
import { useLiveEvents } from './live-events.ts';
import { PasswordDialog } from './password-dialog.tsx';
import { useSession } from './session.ts';

const PAGES = [
  { to: '/', label: 'Overview', icon: <HouseIcon /> },
  { to: '/integrations', label: 'Integrations', icon: <PlugIcon /> },
  { to: '/channels', label: 'Channels', icon: <ArrowsIcon /> },
  { to: '/library', label: 'Library', icon: <BooksIcon /> },
  { to: '/blueprints', label: 'Blueprints', icon: <LayersIcon /> },
  { to: '/devices', label: 'Devices', icon: <LaptopIcon /> },
  { to: '/doctor', label: 'Doctor', icon: <PulseIcon /> },
  { to: '/rollouts', label: 'Rollouts', icon: <RocketIcon /> },
  { to: '/renewals', label: 'Renewals', icon: <CalendarIcon /> },
  { to: '/activity', label: 'Activity', icon: <ListIcon /> },
  { to: '/settings', label: 'Settings', icon: <GearIcon /> },
] as const satisfies readonly { to: string; label: string; icon: ReactNode }[];

export function Shell() {
  const session = useSession();
  const location = useRouterState({ select: (state) => state.location });
  const [isOpen, menu] = useDisclosure(false);
  const mustSetUp = session.data?.mustSetUpSecondFactor === true;
  useLiveEvents(session.isSuccess && !mustSetUp);
  useEffect(() => menu.close(), [location.pathname]);

  if (session.error instanceof ApiProblem && session.error.problem.status === 401) return <ToSignIn />;
  if (session.error && !session.data) return <ProblemAlert error={session.error} />;
  if (!session.data) return null;
  if (mustSetUp && location.pathname !== '/account') return <Navigate to="/account" replace />;
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 220, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
      padding="md"
    >
      <a className="skip-link" href="#content">
        Skip to content
      </a>
      <AppShell.Header px="md">
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={isOpen}
              onClick={menu.toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={isOpen ? 'Close navigation' : 'Open navigation'}
            />
            <ShieldIcon size={26} />
            <Title order={2} size="h4" component="p">
              Odette
            </Title>
          </Group>
          <Group gap="xs" wrap="nowrap">
            {!mustSetUp && <SearchButton />}
            <SchemeButton />
            <PersonMenu name={session.data.name} role={session.data.role} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages">
        {(mustSetUp ? [] : PAGES).map(({ to, label, icon }) => {
          const isHere = to === '/' ? location.pathname === '/' : location.pathname.startsWith(to);
          return (
            <EntryLink
              key={to}
              to={to}
              label={label}
              leftSection={icon}
              rightSection={<PageBadge page={to} />}
              active={isHere}
              aria-current={isHere ? 'page' : undefined}
              aria-describedby={badgeIdOf(to)}
            />
          );
        })}
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        {!mustSetUp && <Alarms />}
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}

/** Which page a step is done on. */
const PAGE_OF = {
  settings: '/settings',
  integrations: '/integrations',
  setup: '/integrations',
  devices: '/devices',
  doctor: '/doctor',
} as const;

const badgeIdOf = (page: string): string => `waiting${page.replace('/', '-')}`;

/** How much on this page waits for an admin or operator: devices by their number, everything else by one. */
function PageBadge({ page }: { page: string }) {
  const { data } = useApiQuery('getStatus', {}, { everyMs: 20_000 });
  const steps = (data?.steps ?? []).filter(({ owner, place }) => owner === 'you' && PAGE_OF[place] === page);
  const waiting = steps.reduce((sum, { devices }) => sum + (devices ?? 1), 0);
  if (waiting === 0) return null;
  return (
    <Badge size="sm" color="red.9" variant="filled" id={badgeIdOf(page)} aria-hidden>
      {countText(waiting)}
      <VisuallyHidden> waiting for you</VisuallyHidden>
    </Badge>
  );
}

/** Once: while the router is on its way, the present address is that of the sign-in page already. */
function ToSignIn() {
  const navigate = useNavigate();
  const [next] = useState(() => window.location.pathname + window.location.search);
  useEffect(() => {
    void navigate({ to: '/sign-in', search: next === '/' ? {} : { next }, replace: true });
  }, [navigate, next]);
  return null;
}

function SchemeButton() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Light or dark">
          <SunIcon />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {(['light', 'dark', 'auto'] as const).map((scheme) => (
          <Menu.Item
            key={scheme}
            onClick={() => setColorScheme(scheme)}
            aria-current={scheme === colorScheme ? true : undefined}
          >
            {{ light: 'Light', dark: 'Dark', auto: 'Same as system' }[scheme]}
            {scheme === colorScheme ? ' ✓' : ''}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function PersonMenu({ name, role }: { name: string; role: string }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [isChanging, setChanging] = useState(false);
  const signOut = async () => {
    await call('signOut', {}).catch(() => undefined);
    client.clear();
    window.location.assign('/sign-in');
  };
  return (
    <>
      <Menu>
        <Menu.Target>
          <Button variant="subtle" color="gray" c="var(--mantine-color-text)" maw={220}>
            <Text size="sm" truncate>
              {name}
            </Text>
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Role: {role}</Menu.Label>
          <Menu.Item onClick={() => void navigate({ to: '/account' })}>Account</Menu.Item>
          <Menu.Item onClick={() => setChanging(true)}>Change password</Menu.Item>
          <Menu.Item onClick={() => void signOut()}>Sign out</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <PasswordDialog opened={isChanging} close={() => setChanging(false)} />
    </>
  );
}
