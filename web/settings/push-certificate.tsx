// Apple's push certificate: how long it lasts, how to get and renew one, and where to upload it.
import { Alert, Anchor, Button, Group, List, Paper, Stack, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { ApiProblem } from '../client.ts';
import { CommandLine } from '../parts/command-line.tsx';
import { FileField } from '../parts/file-field.tsx';
import { Moment } from '../parts/moment.tsx';
import { Loaded } from '../parts/page.tsx';
import { fieldError, ProblemAlert } from '../parts/problem-alert.tsx';
import { SecretInput, secretSetWords } from '../parts/secret-input.tsx';
import { useAnswer, useChange, type Body } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import { DaysLeft } from './days-left.tsx';

export function PushCertificate() {
  const query = useAnswer('getPushCertificate', {});
  const isAdmin = useMay('admin');
  const isMissing =
    query.error instanceof ApiProblem && query.error.problem.code === 'apns.certificate_missing';
  return (
    <Stack maw="46rem">
      {isMissing ? (
        <Alert color="orange" title="There is no push certificate yet">
          Without it no device can be woken, and none can enroll.
        </Alert>
      ) : (
        <Loaded query={query}>
          {(found) => (
            <Paper withBorder p="md">
              <Group justify="space-between">
                <Title order={2} size="h4">
                  In use
                </Title>
                <DaysLeft days={found.daysLeft} />
              </Group>
              {found.refusedAt !== null && (
                <Alert color="red" title="Apple refuses it" my="sm">
                  Since <Moment at={found.refusedAt} />. No device can be woken until it is replaced.
                </Alert>
              )}
              <Text size="sm" className="break-anywhere">
                Topic: {found.topic}
              </Text>
              <Text size="sm">
                Ends <Moment at={found.notAfter} />. {found.key ? `Key: ${secretSetWords(found.key)}.` : ''}
              </Text>
            </Paper>
          )}
        </Loaded>
      )}
      <Guide />
      {isAdmin && <Upload hasOne={query.data !== undefined} />}
      <CommandLine command="odette push-certificate set FILE" />
    </Stack>
  );
}

function Guide() {
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="two-ways">
      <Title order={2} size="h4" id="two-ways" mb="xs">
        How to get one
      </Title>
      <Text size="sm" mb="xs">
        Apple&apos;s portal takes only requests that an MDM vendor has signed. There are two ways:
      </Text>
      <List size="sm" spacing="xs" type="ordered">
        <List.Item>
          <b>Let a vendor sign your request</b>: make a key and a certificate request (openssl req), have an
          MDM vendor with Apple&apos;s vendor certificate sign it, upload the result at{' '}
          <Anchor
            href="https://identity.apple.com/pushcert"
            target="_blank"
            rel="noreferrer noopener"
            size="sm"
          >
            identity.apple.com/pushcert
          </Anchor>{' '}
          and download the certificate.
        </List.Item>
        <List.Item>
          <b>Sign it yourself</b>: members of Apple&apos;s Developer Enterprise or vendor program can get the
          MDM vendor certificate and sign their own request.
        </List.Item>
      </List>
      <Text size="sm" mt="xs">
        <b>Every year:</b> sign in with the same Apple Account and choose <b>Renew</b>. A certificate with
        another topic would mean that every device enrolls again.
      </Text>
    </Paper>
  );
}

function Upload({ hasOne }: { hasOne: boolean }) {
  const [file, setFile] = useState<File>();
  const [password, setPassword] = useState('');
  const [round, setRound] = useState(0);
  const isPkcs12 = file !== undefined && /\.(p12|pfx)$/i.test(file.name);
  const change = useChange('setPushCertificate', ['getPushCertificate', 'getStatus'], () => {
    notifications.show({ message: 'The push certificate is in use.', color: 'green' });
    setFile(undefined);
    setPassword('');
    setRound(round + 1);
  });
  const upload = async (chosen: File) => {
    const body: Body<'setPushCertificate'> = isPkcs12
      ? { pkcs12: base64Of(new Uint8Array(await chosen.arrayBuffer())), password }
      : { pem: await chosen.text() };
    change.mutate({ body });
  };
  return (
    <Paper withBorder p="md">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (file) void upload(file);
        }}
      >
        <Stack>
          <Title order={2} size="h4">
            {hasOne ? 'Replace it with its renewal' : 'Upload it'}
          </Title>
          <FileField
            key={round}
            label="File"
            description="Certificate and private key in one PEM file, or PKCS#12 (.p12, .pfx)"
            accept=".pem,.crt,.cer,.key,.txt,.p12,.pfx"
            choose={(chosen) => {
              change.reset();
              setFile(chosen);
            }}
            error={fieldError(change.error, 'pem') ?? fieldError(change.error, 'pkcs12')}
          />
          {isPkcs12 && (
            <SecretInput
              label="Password of the file"
              value={password}
              set={setPassword}
              error={fieldError(change.error, 'password')}
            />
          )}
          <ProblemAlert error={change.error} exceptFields={['pem', 'pkcs12', 'password']} />
          <Group justify="flex-end">
            <Button type="submit" disabled={!file} loading={change.isPending}>
              Upload
            </Button>
          </Group>
        </Stack>
      </form>
    </Paper>
  );
}

function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
