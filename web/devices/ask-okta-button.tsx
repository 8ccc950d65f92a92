// Asks Okta about one device now. It changes nothing and asks the device nothing, so there is no dialog.
import { Button, type ButtonProps } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useChange } from '../queries.ts';
import { AFTERWARDS, said } from './device-dialogs.tsx';

export function AskOktaButton({ device, ...props }: { device: { id: string } } & ButtonProps) {
  const change = useChange('askOkta', AFTERWARDS, () =>
    said('Odette asks Okta now, and again within five minutes. The result appears here.'),
  );
  const ask = () =>
    change.mutate(
      { params: { id: device.id } },
      { onError: (error) => notifications.show({ color: 'red', message: error.message }) },
    );
  return (
    <Button {...props} loading={change.isPending} onClick={ask}>
      Ask Okta now
    </Button>
  );
}
