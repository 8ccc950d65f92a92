// Other devices with the serial number of this one: what that may mean, and which record can go.
import { Alert, List, Text } from '@mantine/core';
import { AnchorLink } from '../components/links.tsx';
import { Moment } from '../components/moment.tsx';
import { BUCKET_LABELS } from '../labels.ts';
import type { DeviceDetail } from './truth-list.tsx';

export function SerialTwins({ device }: { device: DeviceDetail }) {
  const { serialNumberTwins: twins } = device;
  if (twins.length === 0) return null;
  return (
    <Alert color="orange" title="Another device has this serial number">
      <Text size="sm">
        A replaced logic board or a cloned virtual machine repeats a serial number. Odette tells the devices
        apart by UDID, and never trusts one device because of the record of another.
      </Text>
      <List size="sm" mt="xs">
        {twins.map((twin) => (
          <List.Item key={twin.id}>
            <AnchorLink to="/devices/$deviceId" params={{ deviceId: twin.id }} size="sm">
              {twin.name ?? twin.udid}
            </AnchorLink>
            : {BUCKET_LABELS[twin.bucket].label}, last contact <Moment at={twin.lastContactAt} />.{' '}
            {twin.mayBeRetired
              ? 'If its logic board was replaced, delete its record on its page (More, Delete its record).'
              : 'It still checks in. If one of them is a clone, give it its own serial number.'}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
