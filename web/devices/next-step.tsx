// Who acts next on a device: the owner, one sentence, what the device said, and one button.
import { Alert, Button, Group, Text } from '@mantine/core';
import { ButtonLink } from '../components/links.tsx';
import { Moment } from '../components/moment.tsx';
import { BUCKET_LABELS, STEP_ACTION_LABELS, STEP_OWNER_LABELS } from '../labels.ts';
import { useMay } from '../shell/session.ts';
import { AskOktaButton } from './ask-okta-button.tsx';
import type { DeviceDialog } from './device-actions.tsx';
import type { DeviceDetail } from './truth-list.tsx';
import { Remedy } from '../components/remedy.tsx';

export function NextStepBanner({
  device,
  open,
}: {
  device: DeviceDetail;
  open: (dialog: DeviceDialog) => void;
}) {
  const { nextStep, failure, deviceError, bucket } = device;
  const { label, color } = BUCKET_LABELS[bucket];
  const isFailure = failure !== null && nextStep.action === 'replay';
  return (
    <Alert color={color} title={isFailure ? failure.title : `${label}: ${STEP_OWNER_LABELS[nextStep.owner]}`}>
      {isFailure && deviceError && (
        <Text size="sm" className="break-anywhere">
          <b>{deviceError.subject}</b> ({deviceError.requestType}):{' '}
          {deviceError.text ?? 'The device gave no reason.'} <Moment at={deviceError.at} />
        </Text>
      )}
      <Text size="sm">
        {isFailure ? (
          <>
            <b>{STEP_OWNER_LABELS[nextStep.owner]}.</b> <Remedy text={failure.remedy} />
          </>
        ) : (
          nextStep.text
        )}
      </Text>
      {bucket === 'trusted' && device.trustedAt !== null && (
        <Text size="sm">
          Trusted since <Moment at={device.trustedAt} isDated />. Last contact{' '}
          <Moment at={device.lastContactAt} />.
        </Text>
      )}
      <Group mt="xs">
        <StepButton device={device} open={open} />
      </Group>
    </Alert>
  );
}

const DIALOGS = {
  replay: 'replay',
  check_device: 'check',
  decide_return: 'return',
  set_user: 'edit',
  choose_blueprint: 'edit',
} as const;

function StepButton({ device, open }: { device: DeviceDetail; open: (dialog: DeviceDialog) => void }) {
  const mayAct = useMay('operator');
  const isAdmin = useMay('admin');
  const { action } = device.nextStep;
  if (action === null) return null;
  const text = STEP_ACTION_LABELS[action];
  if (action === 'open_okta') {
    const record = device.oktaRecords[0];
    return record === undefined ? null : (
      <Button component="a" size="xs" href={record.adminUrl} target="_blank" rel="noreferrer noopener">
        {text}
      </Button>
    );
  }
  if (action === 'get_licenses')
    return (
      <ButtonLink size="xs" to="/settings" search={{ tab: 'licenses' }}>
        {text}
      </ButtonLink>
    );
  if (!mayAct || (action === 'decide_return' && !isAdmin)) return null;
  if (action === 'ask_okta') return <AskOktaButton device={device} size="xs" />;
  if (action === 'enroll_again')
    return device.blueprint === null ? (
      <ButtonLink size="xs" to="/blueprints">
        {text}
      </ButtonLink>
    ) : (
      <ButtonLink size="xs" to="/blueprints/$blueprintId" params={{ blueprintId: device.blueprint.id }}>
        {text}
      </ButtonLink>
    );
  return (
    <Button size="xs" onClick={() => open(DIALOGS[action])}>
      {text}
    </Button>
  );
}
