// The way to a push certificate, step by step: the request that Odette makes, the vendor's signature, Apple's portal.
import { Anchor, Button, Group, List, Paper, Stack, Tabs, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiProblem, call, type ResponseOf } from '../client.ts';
import { CommandLine } from '../components/command-line.tsx';
import { base64Of, download, pemOf } from '../components/file-content.ts';
import { FileField } from '../components/file-field.tsx';
import { Moment } from '../components/moment.tsx';
import { fieldError, ProblemAlert } from '../components/problem-alert.tsx';
import { SecretInput } from '../components/secret-input.tsx';
import { odetteLine } from '../odette-line.ts';
import { useApiQuery } from '../queries.ts';

type Request = ResponseOf<'getPushCertificateRequest'>;
type Signed = ResponseOf<'signPushCertificateRequest'>;

const saveSigned = ({ content }: Signed) => download('push-certificate-request.txt', content, 'text/plain');

export function PushCertificateRequest() {
  const query = useApiQuery('getPushCertificateRequest', {});
  const isMissing = query.error instanceof ApiProblem && query.error.problem.code === 'apns.request_missing';
  const request = isMissing ? undefined : query.data;
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="how-to-get">
      <Stack>
        <Title order={2} size="h4" id="how-to-get">
          How to get one, or renew it
        </Title>
        <List size="sm" spacing="xs" type="ordered">
          <List.Item>Odette makes a request. Its private key stays in Odette.</List.Item>
          <List.Item>
            An MDM vendor signs the request: Apple&apos;s portal accepts only signed requests.
          </List.Item>
          <List.Item>
            Upload the signed request at{' '}
            <Anchor
              href="https://identity.apple.com/pushcert"
              target="_blank"
              rel="noreferrer noopener"
              size="sm"
            >
              identity.apple.com/pushcert
            </Anchor>
            . To renew, sign in with the same Apple Account and choose <b>Renew</b>: with another topic, every
            device has to enroll again.
          </List.Item>
          <List.Item>Upload Apple&apos;s certificate below.</List.Item>
        </List>
        <Request request={request} />
        {request && <Sign request={request} />}
      </Stack>
    </Paper>
  );
}

function Request({ request }: { request: Request | undefined }) {
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: () => call('createPushCertificateRequest', {}),
    onSuccess: () => client.invalidateQueries({ queryKey: ['getPushCertificateRequest'] }),
  });
  return (
    <Stack gap="xs">
      {request && (
        <Text size="sm">
          Request made <Moment at={request.createdAt} />
          {request.sentAt !== null && (
            <>
              , sent to the signing service <Moment at={request.sentAt} />
            </>
          )}
          .
        </Text>
      )}
      <Group>
        {request && (
          <Button onClick={() => download('push-certificate.csr', request.csr, 'application/pkcs10')}>
            Download the request
          </Button>
        )}
        <Button
          variant={request ? 'default' : 'filled'}
          onClick={() => make.mutate()}
          loading={make.isPending}
        >
          {request ? 'Make another request' : 'Make a request'}
        </Button>
      </Group>
      <ProblemAlert error={make.error} />
      <CommandLine command={odetteLine(['push-certificate', 'request'])} />
    </Stack>
  );
}

function Sign({ request }: { request: Request }) {
  return (
    <Tabs defaultValue="others" keepMounted={false}>
      <Tabs.List>
        <Tabs.Tab value="others">A vendor signs it</Tabs.Tab>
        <Tabs.Tab value="own">You are a vendor</Tabs.Tab>
        <Tabs.Tab value="service">Public signing service</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="others" pt="sm">
        <Text size="sm">
          Send the request to an MDM vendor that signs for you. It returns a signed request.
        </Text>
      </Tabs.Panel>
      <Tabs.Panel value="own" pt="sm">
        <SignWithOwn />
      </Tabs.Panel>
      <Tabs.Panel value="service" pt="sm">
        <SigningService isSent={request.sentAt !== null} />
      </Tabs.Panel>
    </Tabs>
  );
}

function SignWithOwn() {
  const [vendor, setVendor] = useState<File>();
  const [chain, setChain] = useState<File>();
  const [password, setPassword] = useState('');
  const isPkcs12 = vendor !== undefined && /\.(p12|pfx)$/i.test(vendor.name);
  const sign = useMutation({
    mutationFn: async (file: File) => {
      const read = isPkcs12
        ? { pkcs12: base64Of(new Uint8Array(await file.arrayBuffer())), password }
        : { pem: await file.text() };
      return call('signPushCertificateRequest', {
        body: { ...read, ...(chain && { chain: await pemOf(chain) }) },
      });
    },
    onSuccess: (signed) => {
      setPassword('');
      saveSigned(signed);
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (vendor) sign.mutate(vendor);
      }}
    >
      <Stack>
        <FileField
          label="Vendor certificate"
          description="Certificate and private key in one PEM file, or PKCS#12. Odette uses them once and does not store them."
          accept=".pem,.p12,.pfx"
          choose={setVendor}
          error={fieldError(sign.error, 'vendor')}
        />
        {isPkcs12 && <SecretInput label="Password of the vendor file" value={password} set={setPassword} />}
        <FileField
          label="Chain"
          description="Apple's WWDR intermediate and root certificate in one PEM file (apple.com/certificateauthority)"
          accept=".pem,.cer,.crt"
          choose={setChain}
          error={fieldError(sign.error, 'chain')}
        />
        <ProblemAlert error={sign.error} exceptFields={['vendor', 'chain']} />
        <Group>
          <Button type="submit" disabled={!vendor} loading={sign.isPending}>
            Sign and download
          </Button>
        </Group>
        <CommandLine
          command={odetteLine(['push-certificate', 'sign'], ['--vendor', 'FILE'], ['--chain', 'FILE'])}
        />
      </Stack>
    </form>
  );
}

function SigningService({ isSent }: { isSent: boolean }) {
  const client = useQueryClient();
  const [email, setEmail] = useState('');
  const [key, setKey] = useState('');
  const [file, setFile] = useState<File>();
  const send = useMutation({
    mutationFn: () => call('sendPushCertificateRequest', { body: { email, key } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['getPushCertificateRequest'] }),
  });
  const open = useMutation({
    mutationFn: async (chosen: File) =>
      call('openPushCertificateRequest', { body: { file: await chosen.text() } }),
    onSuccess: saveSigned,
  });
  return (
    <Stack>
      <Text size="sm">
        mdmcert.download signs for organizations without a vendor certificate. Volunteers run it without
        guarantees: it may be down, or its own certificate may have expired (Odette checks that). It accepts
        only registered work addresses, and requires a key that its operators give you for this Odette. Every
        renewal needs a signature again, from this service or from any other MDM vendor.
      </Text>
      <TextInput
        label="Email address"
        description="As you registered it at the service"
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
        error={fieldError(send.error, 'email')}
      />
      <SecretInput
        label="Key for this Odette"
        value={key}
        set={setKey}
        error={fieldError(send.error, 'key')}
      />
      <ProblemAlert error={send.error} exceptFields={['email', 'key']} />
      <Group>
        <Button
          onClick={() => send.mutate()}
          disabled={email === '' || key === ''}
          loading={send.isPending}
          variant={isSent ? 'default' : 'filled'}
        >
          {isSent ? 'Send it again' : 'Send the request'}
        </Button>
      </Group>
      {isSent && (
        <>
          <FileField
            label="File from the email"
            description="The attachment, unchanged"
            accept=".p7,.txt"
            choose={setFile}
            error={fieldError(open.error, 'file')}
          />
          <ProblemAlert error={open.error} exceptFields={['file']} />
          <Group>
            <Button onClick={() => file && open.mutate(file)} disabled={!file} loading={open.isPending}>
              Open and download
            </Button>
          </Group>
        </>
      )}
      <CommandLine
        command={odetteLine(['push-certificate', 'send'], ['--email', 'ADDRESS'], ['--key-file', 'FILE'])}
      />
    </Stack>
  );
}
