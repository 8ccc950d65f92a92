// What the doctor found on a device: each cause with its evidence and, where Odette can, the cure as a button.
import { Button, Group, Stack, Text } from '@mantine/core';
import type { ResponseOf } from '../client.ts';
import { ProblemAlert } from '../components/problem-alert.tsx';
import { useChange } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import { Remedy } from '../components/remedy.tsx';

type Diagnosis = ResponseOf<'examineDevice'>['items'][number];

export function Diagnoses({ deviceId, items }: { deviceId: string; items: readonly Diagnosis[] }) {
  return (
    <Stack component="ul" gap="md" pl={0} m={0} style={{ listStyle: 'none' }}>
      {items.map((one) => (
        <li key={one.cause}>
          <Text fw={600} size="sm">
            {one.title}
          </Text>
          <Text size="sm" className="break-anywhere">
            {one.evidence}
          </Text>
          <Text size="sm" c="dimmed">
            <Remedy text={one.remedy} />
          </Text>
          <Cure deviceId={deviceId} diagnosis={one} />
        </li>
      ))}
    </Stack>
  );
}

const REFRESHED = ['examineDevice', 'examineFleet', 'getDevice'] as const;

function Cure({ deviceId, diagnosis }: { deviceId: string; diagnosis: Diagnosis }) {
  const { action, user } = diagnosis;
  const mayAct = useMay('operator');
  const renew = useChange('renewDevice', REFRESHED);
  const check = useChange('checkDevice', REFRESHED);
  const change = useChange('updateDevice', REFRESHED);
  if (action === null || !mayAct || (action === 'take_user_over' && user === null)) return null;
  const params = { id: deviceId };
  const cures = {
    renew: { label: 'Request a new certificate', run: () => renew.mutate({ params, body: {} }), of: renew },
    check: { label: 'Check device', run: () => check.mutate({ params }), of: check },
    take_user_over: {
      label: `Set user to ${user ?? ''}`,
      run: () => change.mutate({ params, body: { user } }),
      of: change,
    },
  } as const;
  const { label, run, of } = cures[action];
  return (
    <Group mt={4} gap="sm">
      <Button size="compact-sm" variant="default" loading={of.isPending} onClick={run}>
        {label}
      </Button>
      {of.isSuccess && (
        <Text size="sm" role="status">
          Requested.
        </Text>
      )}
      <ProblemAlert error={of.error} />
    </Group>
  );
}
