// Setting up an authenticator app (password, QR code, first code, recovery codes), new recovery codes, and turning it off.
import { Alert, Button, Code, Group, Stack, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { CopyIconButton, CopyValue } from '../components/copy-value.tsx';
import { Dialog } from '../components/dialog.tsx';
import { PasswordField } from '../components/password-field.tsx';
import { fieldError } from '../components/problem-alert.tsx';
import { curlLine } from '../curl-line.ts';
import { useChange, type ResponseOf } from '../queries.ts';
import { QrCode } from '../components/qr-code.tsx';

const REFRESHED = ['getSecondFactor', 'getSession'] as const;

export function SetUpDialog({ close }: { close: () => void }) {
  const [key, setKey] = useState<ResponseOf<'beginSecondFactor'>>();
  const [codes, setCodes] = useState<readonly string[]>();
  if (codes) return <RecoveryCodes codes={codes} close={close} />;
  if (key) return <ConfirmCode authenticator={key} close={close} confirmed={setCodes} />;
  return <Begin close={close} begun={setKey} />;
}

function OwnPassword({ value, set, error }: { value: string; set: (value: string) => void; error: unknown }) {
  return (
    <PasswordField
      label="Your password"
      value={value}
      onChange={(event) => set(event.currentTarget.value)}
      error={fieldError(error, 'password')}
      autoComplete="current-password"
      data-autofocus
    />
  );
}

function Begin({
  close,
  begun,
}: {
  close: () => void;
  begun: (key: ResponseOf<'beginSecondFactor'>) => void;
}) {
  const [password, setPassword] = useState('');
  const change = useChange('beginSecondFactor', [], begun);
  return (
    <ConfirmDialog
      opened
      close={close}
      title="Set up authenticator app"
      confirmLabel="Next"
      confirm={() => change.mutate({ body: { password } })}
      isBusy={change.isPending}
      isOff={password === ''}
      error={change.error}
      command={curlLine('beginSecondFactor', { body: { password: '…' } })}
    >
      <Text size="sm">
        You need an authenticator app for one-time codes, for example in your password manager or on your
        phone.
      </Text>
      <OwnPassword value={password} set={setPassword} error={change.error} />
    </ConfirmDialog>
  );
}

function ConfirmCode({
  authenticator,
  close,
  confirmed,
}: {
  authenticator: ResponseOf<'beginSecondFactor'>;
  close: () => void;
  confirmed: (codes: readonly string[]) => void;
}) {
  const [code, setCode] = useState('');
  const change = useChange('confirmSecondFactor', [], ({ recoveryCodes }) => confirmed(recoveryCodes));
  return (
    <ConfirmDialog
      opened
      close={close}
      title="Scan and enter the first code"
      confirmLabel="Turn on"
      confirm={() => change.mutate({ body: { code } })}
      isBusy={change.isPending}
      isOff={code.trim() === ''}
      error={change.error}
      command={curlLine('confirmSecondFactor', { body: { code: '…' } })}
    >
      <Group justify="center">
        <QrCode text={authenticator.uri} label="QR code for the authenticator app" />
      </Group>
      <CopyValue label="Or enter this key in the app" value={authenticator.key} />
      <TextInput
        label="Code"
        description="Six digits that the app shows"
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
        error={fieldError(change.error, 'code')}
        autoComplete="one-time-code"
        inputMode="numeric"
        data-autofocus
      />
      <Text size="sm">Odette ends your other sessions.</Text>
    </ConfirmDialog>
  );
}

function RecoveryCodes({ codes, close }: { codes: readonly string[]; close: () => void }) {
  // Only now: the page that is asked for a second factor changes when it is on.
  const client = useQueryClient();
  const done = () => {
    close();
    void Promise.all(REFRESHED.map((id) => client.invalidateQueries({ queryKey: [id] })));
  };
  return (
    <Dialog opened onClose={done} title="Recovery codes" closeOnClickOutside={false}>
      <Stack>
        <Alert color="yellow" title="Shown this once">
          Store them where you can reach them without the app. Each recovery code works once, in place of a
          code from the app.
        </Alert>
        <Group align="flex-start" wrap="nowrap">
          <Code block aria-label="Recovery codes">
            {codes.join('\n')}
          </Code>
          <CopyIconButton value={codes.join('\n')} what="recovery codes" />
        </Group>
        <Group justify="flex-end">
          <Button onClick={done}>I have saved them</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

export function NewRecoveryCodes({ close }: { close: () => void }) {
  const [password, setPassword] = useState('');
  const [codes, setCodes] = useState<readonly string[]>();
  const change = useChange('renewRecoveryCodes', [], ({ recoveryCodes }) => setCodes(recoveryCodes));
  if (codes) return <RecoveryCodes codes={codes} close={close} />;
  return (
    <ConfirmDialog
      opened
      close={close}
      title="New recovery codes"
      confirmLabel="Make new codes"
      confirm={() => change.mutate({ body: { password } })}
      isBusy={change.isPending}
      isOff={password === ''}
      error={change.error}
      command={curlLine('renewRecoveryCodes', { body: { password: '…' } })}
    >
      <Text size="sm">The old recovery codes stop working.</Text>
      <OwnPassword value={password} set={setPassword} error={change.error} />
    </ConfirmDialog>
  );
}

export function TurnOffDialog({ close }: { close: () => void }) {
  const [password, setPassword] = useState('');
  const change = useChange('turnOffSecondFactor', REFRESHED, close);
  return (
    <ConfirmDialog
      opened
      close={close}
      title="Turn off the second factor?"
      confirmLabel="Turn off"
      isDangerous
      confirm={() => change.mutate({ body: { password } })}
      isBusy={change.isPending}
      isOff={password === ''}
      error={change.error}
      command={curlLine('turnOffSecondFactor', { body: { password: '…' } })}
    >
      <Text size="sm">You then sign in with your password alone.</Text>
      <OwnPassword value={password} set={setPassword} error={change.error} />
    </ConfirmDialog>
  );
}
