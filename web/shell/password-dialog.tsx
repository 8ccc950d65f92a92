// Changing one's own password; the other sessions end.
import { Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { PasswordField } from '../components/password-field.tsx';
import { curlLine } from '../curl-line.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { fieldError } from '../components/problem-alert.tsx';
import { useChange } from '../queries.ts';

export function PasswordDialog({ opened, close }: { opened: boolean; close: () => void }) {
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const leave = () => {
    setCurrent('');
    setPassword('');
    change.reset();
    close();
  };
  const change = useChange('changePassword', [], () => {
    notifications.show({ message: 'The password is changed.', color: 'green' });
    leave();
  });
  return (
    <ConfirmDialog
      opened={opened}
      close={leave}
      title="Change password"
      confirmLabel="Change password"
      confirm={() => change.mutate({ body: { current, password } })}
      isBusy={change.isPending}
      isOff={current === '' || password.length < 12}
      error={change.error}
      command={curlLine('changePassword', { body: { current: '…', password: '…' } })}
    >
      <Text size="sm">Odette ends your other sessions. This one stays signed in.</Text>
      <PasswordField
        label="Current password"
        value={current}
        onChange={(event) => setCurrent(event.currentTarget.value)}
        autoComplete="current-password"
        data-autofocus
      />
      <PasswordField
        label="New password"
        description="At least 12 characters"
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        error={fieldError(change.error, 'password')}
        autoComplete="new-password"
      />
    </ConfirmDialog>
  );
}
