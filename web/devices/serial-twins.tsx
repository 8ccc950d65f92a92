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
        A replaced logic board or a cloned virtual machine brings a serial number again. Odette tells the
        devices apart by their UDID, and none is trusted by the record of another.
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
              : 'It calls, too: if one of them is a clone, give it a serial number of its own.'}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
