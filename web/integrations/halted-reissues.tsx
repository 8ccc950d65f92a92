// Odette stopped re-issuing certificates by itself: why, what may have caused it, and the word that lets it go on.
import { Alert, Button, Group, List, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { CommandLine } from '../components/command-line.tsx';
import { Moment } from '../components/moment.tsx';
import { ROTATION_LABELS, ToRotation } from '../rotations/to-rotation.tsx';
import { ProblemAlert } from '../components/problem-alert.tsx';
import { odetteLine } from '../odette-line.ts';
import { useChange } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import type { Integration } from './integration.ts';

export function HaltedReissues({ integration }: { integration: Integration }) {
  return integration.haltedReissues.map((halted) => (
    <Halted key={halted.platform} halted={halted} integration={integration} />
  ));
}

function Halted({
  halted: { platform, text, likelyCauses, held, haltedAt },
  integration: { id, host },
}: {
  halted: Integration['haltedReissues'][number];
  integration: Integration;
}) {
  const mayAct = useMay('operator');
  const resume = useChange('resumeReissues', ['getIntegration', 'getStatus'], ({ devices }) => {
    notifications.show({
      message: `Automatic re-issues resumed. Odette requested ${devices} new certificates.`,
      color: 'green',
    });
  });
  return (
    <Alert color="red" title={text} role="region">
      <Stack gap="xs">
        <Text size="sm">
          Halted <Moment at={haltedAt} />. Odette requests no new certificates for these devices until you
          resume; {held === 0 ? 'no device waits' : `${held} wait`}. Renewals continue. First find the cause
          in Okta:
        </Text>
        <List size="sm">
          {likelyCauses.map((cause) => (
            <List.Item key={cause}>{cause}</List.Item>
          ))}
        </List>
        {platform === 'iOS' && <ToRotation integrationId={id} label={ROTATION_LABELS.ios_secret_key} />}
        <ProblemAlert error={resume.error} />
        {mayAct && (
          <>
            <CommandLine
              command={odetteLine(['reissue', 'resume'], ['--integration', host], ['--platform', platform])}
            />
            <Group justify="flex-end">
              <Button
                size="xs"
                loading={resume.isPending}
                onClick={() => resume.mutate({ params: { id }, body: { platform } })}
              >
                Resume
              </Button>
            </Group>
          </>
        )}
      </Stack>
    </Alert>
  );
}
