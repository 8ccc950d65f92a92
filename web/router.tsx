// Every address of the console. Pages are loaded when they are first needed; filters and tabs live in the address.
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from '@tanstack/react-router';
import { readDeviceSearch } from './devices/device-search.ts';
import { Shell } from './shell/shell.tsx';
import { PageFailed } from './shell/page-failed.tsx';
import { NotFound } from './shell/not-found.tsx';
import { FirstRunPage } from './sign-in/first-run-page.tsx';
import { SignInPage } from './sign-in/sign-in-page.tsx';

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (search: Record<string, unknown>): { next?: string; refused?: string } => {
    const { next, refused } = search;
    return {
      // Only an address of this console: anything else would be an open redirect.
      ...(typeof next === 'string' && /^\/(?![/\\])/.test(next) && { next }),
      ...(typeof refused === 'string' && { refused: refused.slice(0, 100) }),
    };
  },
  component: SignInPage,
});
const firstRun = createRoute({ getParentRoute: () => root, path: '/first-run', component: FirstRunPage });

const inside = createRoute({ getParentRoute: () => root, id: 'inside', component: Shell });
const within = () => inside;
const oneOf =
  <const Name extends string, const Value extends string>(name: Name, values: readonly Value[]) =>
  (search: Record<string, unknown>): { [Key in Name]?: Value } => {
    const value = values.find((one) => one === search[name]);
    return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: Value };
  };
const textOf =
  <const Name extends string>(...names: readonly Name[]) =>
  (search: Record<string, unknown>): { [Key in Name]?: string } =>
    Object.fromEntries(
      names.flatMap((name) =>
        typeof search[name] === 'string' && search[name] !== '' ? [[name, search[name]]] : [],
      ),
    ) as { [Key in Name]?: string };

const routes = [
  createRoute({
    getParentRoute: within,
    path: '/',
    component: lazyRouteComponent(() => import('./overview/overview-page.tsx'), 'OverviewPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/integrations',
    component: lazyRouteComponent(() => import('./integrations/integrations-page.tsx'), 'IntegrationsPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/integrations/discover',
    component: lazyRouteComponent(() => import('./integrations/discover-page.tsx'), 'DiscoverPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/integrations/$integrationId',
    component: lazyRouteComponent(() => import('./integrations/integration-page.tsx'), 'IntegrationPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/integrations/$integrationId/readiness',
    component: lazyRouteComponent(() => import('./readiness/readiness-page.tsx'), 'ReadinessPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/integrations/$integrationId/observed',
    component: lazyRouteComponent(() => import('./observed/observed-page.tsx'), 'ObservedPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/integrations/$integrationId/rotation',
    component: lazyRouteComponent(() => import('./rotations/rotation-page.tsx'), 'RotationPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/setups/$setupId',
    validateSearch: textOf('step'),
    component: lazyRouteComponent(() => import('./setup/setup-page.tsx'), 'SetupPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/channels',
    component: lazyRouteComponent(() => import('./channels/channels-page.tsx'), 'ChannelsPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/library',
    validateSearch: textOf('search'),
    component: lazyRouteComponent(() => import('./library/library-page.tsx'), 'LibraryPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/library/okta-verify',
    validateSearch: textOf('item', 'integration'),
    component: lazyRouteComponent(() => import('./library/item-page.tsx'), 'ItemPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/blueprints',
    component: lazyRouteComponent(() => import('./blueprints/blueprints-page.tsx'), 'BlueprintsPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/blueprints/$blueprintId',
    component: lazyRouteComponent(() => import('./blueprints/blueprint-page.tsx'), 'BlueprintPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/devices',
    validateSearch: readDeviceSearch,
    component: lazyRouteComponent(() => import('./devices/devices-page.tsx'), 'DevicesPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/devices/$deviceId',
    component: lazyRouteComponent(() => import('./devices/device-page.tsx'), 'DevicePage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/doctor',
    component: lazyRouteComponent(() => import('./doctor/doctor-page.tsx'), 'DoctorPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/rollouts',
    validateSearch: oneOf('state', ['running', 'waiting', 'failed', 'completed']),
    component: lazyRouteComponent(() => import('./rollouts/rollouts-page.tsx'), 'RolloutsPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/fleet-rollouts/$fleetRolloutId',
    validateSearch: oneOf('state', ['waiting', 'begun', 'completed', 'failed', 'left', 'overtaken']),
    component: lazyRouteComponent(
      () => import('./fleet-rollouts/fleet-rollout-page.tsx'),
      'FleetRolloutPage',
    ),
  }),
  createRoute({
    getParentRoute: within,
    path: '/renewals',
    validateSearch: oneOf('state', ['due', 'late', 'failed', 'unused', 'history']),
    component: lazyRouteComponent(() => import('./renewals/renewals-page.tsx'), 'RenewalsPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/activity',
    validateSearch: textOf('actor', 'kind', 'subject', 'from', 'until', 'secrets'),
    component: lazyRouteComponent(() => import('./activity/activity-page.tsx'), 'ActivityPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/settings',
    validateSearch: oneOf('tab', [
      'push',
      'licenses',
      'organization',
      'notifications',
      'people',
      'tokens',
      'about',
    ]),
    component: lazyRouteComponent(() => import('./settings/settings-page.tsx'), 'SettingsPage'),
  }),
  createRoute({
    getParentRoute: within,
    path: '/account',
    component: lazyRouteComponent(() => import('./account/account-page.tsx'), 'AccountPage'),
  }),
] as const;

export const router = createRouter({
  routeTree: root.addChildren([signIn, firstRun, inside.addChildren([...routes])]),
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultNotFoundComponent: NotFound,
  defaultErrorComponent: PageFailed,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
