// The removal of a platform or of the whole integration: who would be locked out, the typed confirmation, progress, stop and the way back.
import { Alert, Button, Group, List, Progress, Radio, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call, type ResponseOf } from '../client.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { Moment } from '../components/moment.tsx';
import { Loaded } from '../components/page.tsx';
import { PolicyLiftedBox } from '../components/policy-lifted.tsx';
import { ProblemAlert } from '../components/problem-alert.tsx';
import { countText, plural } from '../labels.ts';
import { odetteLine } from '../odette-line.ts';
import { useApiQuery, useChange } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import type { Integration } from './integration.ts';
import { Section } from './section.tsx';

type Removal = ResponseOf<'listPlatformRemovals'>['items'][number];
type Target = 'macOS' | 'iOS' | 'all';

const REFRESHES = ['listPlatformRemovals', 'getIntegration', 'listIntegrations'] as const;

export function RemovalCard({ integration }: { integration: Integration }) {
  const isAdmin = useMay('admin');
  const [asks, setAsks] = useState(false);
  const { data } = useApiQuery(
    'listPlatformRemovals',
    { query: { integrationId: integration.id } },
    { everyMs: 10_000 },
  );
  const present = data?.items.find(({ finishedAt }) => finishedAt === null);
  return (
    <Section
      title="Remove"
      action={
        isAdmin &&
        data &&
        !present && (
          <Button size="xs" variant="default" color="red.9" onClick={() => setAsks(true)}>
            Remove…
          </Button>
        )
      }
    >
      {present ? (
        <Present removal={present} isAdmin={isAdmin} />
      ) : (
        <Text size="sm">
          Removes a platform or the whole integration. Odette first removes the payloads from the devices, in
          growing waves and with the certificates last, then deletes the secrets. The history stays.
        </Text>
      )}
      {asks && <RemoveDialog integration={integration} close={() => setAsks(false)} />}
    </Section>
  );
}

const STATUS_LABELS: Readonly<Record<Removal['status'], string>> = {
  waiting: 'Waiting',
  removing: 'Removing',
  stopped: 'Stopped',
  finished: 'Finished',
  undone: 'Undone',
};

function Present({ removal, isAdmin }: { removal: Removal; isAdmin: boolean }) {
  const change = useChange('changePlatformRemoval', REFRESHES);
  const { id, platform, status, startsAt, taken, left, done, failed, silent } = removal;
  const total = taken + left;
  const act = (label: string, action: 'stop' | 'resume' | 'all_at_once' | 'undo') => (
    <Button
      size="xs"
      variant="default"
      loading={change.isPending}
      onClick={() => change.mutate({ params: { id }, body: { action } })}
    >
      {label}
    </Button>
  );
  return (
    <Alert color="orange" title={`Removal of ${platform ?? 'the integration'}: ${STATUS_LABELS[status]}`}>
      <Stack gap="xs">
        {status === 'waiting' ? (
          <Text size="sm">
            Starts <Moment at={startsAt} /> with {plural(total, 'device')}.
          </Text>
        ) : (
          <>
            <Progress
              value={total === 0 ? 100 : (done / total) * 100}
              aria-label="Devices without payloads"
            />
            <Text size="sm">
              {countText(done)} of {plural(total, 'device')} done; {countText(failed)} failed,{' '}
              {countText(silent)} have not checked in since.
              {status === 'stopped' &&
                failed > 0 &&
                ' Odette stops when devices fail. Check the failed devices first.'}
            </Text>
          </>
        )}
        <ProblemAlert error={change.error} />
        {isAdmin && (
          <Group>
            {status !== 'stopped' && act('Stop', 'stop')}
            {status === 'stopped' && act('Resume', 'resume')}
            {status !== 'stopped' && !removal.isAtOnce && act('All at once', 'all_at_once')}
            {act('Undo', 'undo')}
          </Group>
        )}
      </Stack>
    </Alert>
  );
}

function RemoveDialog({ integration, close }: { integration: Integration; close: () => void }) {
  const { id, host, macOS, iOS } = integration;
  const [target, setTarget] = useState<Target>('all');
  const [typed, setTyped] = useState('');
  const [isLifted, setLifted] = useState(false);
  const platform = target === 'all' ? null : target;
  const preview = useQuery({
    queryKey: ['previewPlatformRemoval', id, platform],
    queryFn: ({ signal }) => call('previewPlatformRemoval', { params: { id }, body: { platform }, signal }),
  });
  const remove = useChange('removePlatform', REFRESHES, close);
  const found = preview.isPlaceholderData ? undefined : preview.data;
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Remove from ${host}`}
      confirmLabel="Remove"
      isDangerous
      isBusy={remove.isPending}
      isOff={!found || !isLifted || typed.trim() !== found.confirmation}
      error={remove.error}
      confirm={() =>
        remove.mutate({ params: { id }, body: { platform, confirmation: typed, policyIsLifted: isLifted } })
      }
      command={odetteLine(
        ['removal', 'start'],
        ['--integration', host],
        ...(platform === null ? [] : [['--platform', platform] as const]),
        ['--policy-lifted'],
        ['--confirm', found?.confirmation ?? ''],
      )}
    >
      <Radio.Group label="What" value={target} onChange={(value) => setTarget(value as Target)}>
        <Group mt="xs">
          <Radio value="all" label="The integration" />
          {macOS && <Radio value="macOS" label="macOS" />}
          {iOS && <Radio value="iOS" label="iOS and iPadOS" />}
        </Group>
      </Radio.Group>
      <Loaded query={preview} lines={3}>
        {(shown) => (
          <Stack gap="sm">
            <Text size="sm">
              In {plural(shown.startsInMinutes, 'minute')} Odette begins to remove the payloads from{' '}
              {plural(shown.devices.macOS, 'Mac')} and {countText(shown.devices.iOS)} iPhones and iPads: a
              canary first, then waves of growing size. The secrets go at the end. Until then you can undo it.
            </Text>
            <Alert
              color="orange"
              title={`${plural(shown.usersLosingTrustTotal, 'user')} managed in Okta only through these devices`}
            >
              {shown.asOf === null ? (
                <Text size="sm">
                  Odette has not read all devices from Okta yet: more users may be affected.
                </Text>
              ) : (
                <Text size="sm">
                  As of <Moment at={shown.asOf} isDated />.
                </Text>
              )}
              <List size="sm">
                {shown.usersLosingTrust.slice(0, 10).map((login) => (
                  <List.Item key={login}>{login}</List.Item>
                ))}
              </List>
              <PolicyLiftedBox lifted={{ value: isLifted, set: setLifted }} />
            </Alert>
            <TextInput
              label={`Type “${shown.confirmation}” to confirm`}
              value={typed}
              autoComplete="off"
              onChange={(event) => setTyped(event.currentTarget.value)}
            />
          </Stack>
        )}
      </Loaded>
    </ConfirmDialog>
  );
}
