// What changed integration settings bring about, and what is pushed again to how many devices: said before they are saved.
import { Alert, List, Text } from '@mantine/core';
import { Loaded } from '../components/page.tsx';
import { WavesText } from '../fleet-rollouts/waves-text.tsx';
import { countText, plural } from '../labels.ts';
import type { Body } from '../queries.ts';
import { useImpact } from '../setup/consequence.tsx';
import type { Integration } from './integration.ts';
import { NUMBER_FIELDS, NUMBER_NAMES, type NumberName } from './number-fields.tsx';

type Changes = NonNullable<Body<'updateIntegration'>>;

const RENEWAL: readonly NumberName[] = [
  'renewalWindowStart',
  'renewalWindowEnd',
  'unusedWarnDays',
  'unusedWarnAgainDays',
  'unusedReissueDays',
];

export function SettingsEffect({ integration, body }: { integration: Integration; body: Changes }) {
  const { settings = {} } = body;
  const impact = useImpact(integration.id);
  const changed = NUMBER_NAMES.filter((name) => settings[name] !== undefined);
  return (
    <Alert color="blue" title="If you save">
      <List size="sm" mb="xs">
        {body.name !== undefined && (
          <List.Item>
            Name: {integration.name} → {body.name}
          </List.Item>
        )}
        {changed.map((name) => (
          <List.Item key={name}>
            {NUMBER_FIELDS[name].label}: {countText(integration.settings[name])} →{' '}
            {countText(settings[name] ?? 0)}
          </List.Item>
        ))}
        {settings.countsAnyUser !== undefined && (
          <List.Item>
            Any user counts: {settings.countsAnyUser ? 'off → on' : 'on → off'}. Odette recounts which devices
            are managed.
          </List.Item>
        )}
      </List>
      {changed.some((name) => RENEWAL.includes(name)) && (
        <Text size="sm">
          Odette reschedules the renewal of each certificate, and immediately renews those that are due under
          the new settings.
        </Text>
      )}
      {settings.furtherDomains === undefined ? (
        <Text size="sm">Odette does not push any payload again.</Text>
      ) : (
        <Loaded query={impact} lines={1}>
          {({ macOS, iOS, waves }) => (
            <>
              <Text size="sm">
                Odette pushes the SSO extension profile again to {plural(macOS + iOS, 'device')} (
                {plural(macOS, 'Mac')}, {plural(iOS, 'iPhone or iPad', 'iPhones and iPads')}).
              </Text>
              <WavesText waves={waves} />
            </>
          )}
        </Loaded>
      )}
    </Alert>
  );
}
