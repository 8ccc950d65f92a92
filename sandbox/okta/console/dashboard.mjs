// Where the wizard's link leads first: what this pretend tenant has, and the ways on.
import { element, heading, link, paragraph } from './parts.mjs';

const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;

export async function showDashboard({ tenant }) {
  const { clients, platforms, devices, knobs } = tenant;
  const apps = clients.filter(({ kind }) => kind === 'api_services_app').length;
  return [
    heading(1, 'Dashboard'),
    paragraph(
      `This tenant runs ${knobs.organization.pipeline === 'v1' ? 'Classic Engine' : 'Identity Engine'}.`,
    ),
    element('ul', [
      element('li', [
        link('API Service Integrations', '/admin/apps/api-services'),
        `: ${clients.length - apps} installed`,
      ]),
      element('li', [link('Applications', '/admin/apps/active'), `: ${count(apps, 'app', 'apps')}`]),
      element('li', [
        link('Device integrations', '/admin/access/device-integrations'),
        `: ${count(platforms.length, 'platform', 'platforms')}`,
      ]),
      element('li', [link('Devices', '/admin/devices'), `: ${devices}`]),
    ]),
  ];
}
