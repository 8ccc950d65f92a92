// Which page of a pretend tenant's admin console an address shows, and the navigation beside it.
import { showAdministrators } from './administrators.mjs';
import { showApp, showApps } from './api-services-apps.mjs';
import { showAuthenticators } from './authenticators.mjs';
import {
  showAuthorize,
  showCatalog,
  showIntegration,
  showIntegrations,
} from './api-service-integrations.mjs';
import { showDashboard } from './dashboard.mjs';
import { showDeviceIntegrations } from './device-integrations.mjs';
import { showDevices } from './devices.mjs';
import { act, call, element, heading, link, paragraph } from './parts.mjs';

const NAVIGATION = [
  ['Dashboard', [['Dashboard', '/admin/dashboard']]],
  ['Directory', [['Devices', '/admin/devices']]],
  [
    'Applications',
    [
      ['Applications', '/admin/apps/active'],
      ['API Service Integrations', '/admin/apps/api-services'],
    ],
  ],
  [
    'Security',
    [
      ['Authenticators', '/admin/access/authenticators'],
      ['Device integrations', '/admin/access/device-integrations'],
      ['Administrators', '/admin/access/administrators'],
    ],
  ],
];

const PAGES = [
  [/^\/admin\/dashboard$/, showDashboard],
  [/^\/admin\/devices$/, showDevices],
  [/^\/admin\/apps\/active$/, showApps],
  [/^\/admin\/apps\/app\/([^/]+)$/, showApp],
  [/^\/admin\/apps\/api-services$/, showIntegrations],
  [/^\/admin\/apps\/api-services\/add$/, showCatalog],
  [/^\/admin\/apps\/api-services\/authorize$/, showAuthorize],
  [/^\/admin\/apps\/api-services\/([^/]+)$/, showIntegration],
  [/^\/admin\/access\/authenticators$/, showAuthenticators],
  [/^\/admin\/access\/device-integrations$/, showDeviceIntegrations],
  [/^\/admin\/access\/administrators$/, showAdministrators],
];

const showNothing = async () => [heading(1, 'No such page'), paragraph('Choose a page at the side.')];

function drawNavigation() {
  document.querySelector('#navigation').replaceChildren(
    ...NAVIGATION.flatMap(([title, pages]) => [
      heading(2, title),
      element(
        'ul',
        pages.map(([name, address]) => {
          const anchor = link(name, address);
          const isHere =
            location.pathname === address ||
            (location.pathname.startsWith(`${address}/`) && address !== '/admin/dashboard') ||
            (location.pathname.startsWith('/admin/apps/app/') && address === '/admin/apps/active');
          if (isHere) anchor.setAttribute('aria-current', 'page');
          return element('li', anchor);
        }),
      ),
    ]),
  );
}

/** Draws the page of this address anew, from what the tenant says now. */
async function show() {
  const [pattern, page] = PAGES.find(([one]) => one.test(location.pathname)) ?? [/^/, showNothing];
  const tenant = await call('GET', '/');
  const drawn = await page({ tenant, show: () => act(show), part: pattern.exec(location.pathname)?.[1] });
  document.querySelector('#page').replaceChildren(...drawn);
  document.title = `${document.querySelector('h1').textContent} · Pretend Okta`;
  // Last: who waits for it finds the page drawn.
  document.querySelector('#host').textContent = tenant.host;
}

drawNavigation();
void act(show);
