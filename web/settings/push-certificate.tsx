// Apple's push certificate: how long it lasts, and where to upload it or its renewal.
import { Alert, Group, Paper, Radio, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { ApiProblem, call, type Problem, type ResponseOf } from '../client.ts';
import { odetteLine } from '../odette-line.ts';
import { CommandLine } from '../components/command-line.tsx';
import { Moment } from '../components/moment.tsx';
import { Loaded } from '../components/page.tsx';
import { fieldError } from '../components/problem-alert.tsx';
import { base64Of } from '../components/file-content.ts';
import { SecretInput, SecretSetText } from '../components/secret-input.tsx';
import { useApiQuery } from '../queries.ts';
import { useOwnServer } from '../shell/own-server.ts';
import { useMay } from '../shell/session.ts';
import { plural } from '../labels.ts';
import { DaysLeft } from './days-left.tsx';
import { PushCertificateRequest } from './push-certificate-request.tsx';
import { UploadForm } from './upload-form.tsx';

export function PushCertificate() {
  const query = useApiQuery('getPushCertificate', {});
  const isAdmin = useMay('admin');
  const isMissing =
    query.error instanceof ApiProblem && query.error.problem.code === 'apns.certificate_missing';
  const isNeeded = useOwnServer();
  return (
    <Stack maw="46rem">
      {!isNeeded && (
        <Alert color="gray" title="No push certificate is needed here">
          No device is enrolled in Odette itself. Another MDM server wakes the devices. You need a push
          certificate only before a device enrolls in Odette.
        </Alert>
      )}
      {isMissing && isNeeded && (
        <Alert color="orange" title="No push certificate">
          Without it, Odette cannot wake devices, and devices cannot enroll.
        </Alert>
      )}
      {!isMissing && (
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
                <Alert color="red" title="Apple rejects it" my="sm">
                  Since <Moment at={found.refusedAt} isDated />. Odette cannot wake devices until you replace
                  it.
                </Alert>
              )}
              <Text size="sm" className="break-anywhere">
                Topic: {found.topic}
              </Text>
              <Text size="sm">
                Access rights: {ACCESS_RIGHTS[found.accessRights].label}. They cannot be changed for this
                topic.
              </Text>
              <Text size="sm">
                Expires <Moment at={found.notAfter} />.{' '}
                {found.key && (
                  <>
                    Key: <SecretSetText set={found.key} />.
                  </>
                )}
              </Text>
              {found.others.map((other) => (
                <Alert
                  key={other.topic}
                  color={other.refusedAt === null ? 'orange' : 'red'}
                  title={`${plural(other.devices, 'device')} enrolled with an earlier topic`}
                  mt="sm"
                >
                  <Text size="sm" className="break-anywhere">
                    {other.topic}:{' '}
                    {other.refusedAt === null ? (
                      <>
                        Odette can wake them until its certificate expires, <Moment at={other.notAfter} />.
                      </>
                    ) : (
                      'Apple rejects its certificate: Odette cannot wake them.'
                    )}{' '}
                    Enroll them again.
                  </Text>
                </Alert>
              ))}
            </Paper>
          )}
        </Loaded>
      )}
      {isAdmin && <PushCertificateRequest />}
      {isAdmin && <Upload hasOne={query.data !== undefined} />}
      <CommandLine command={odetteLine(['push-certificate', 'set', 'FILE'])} />
    </Stack>
  );
}

const isPkcs12 = (file: File | undefined): boolean => file !== undefined && /\.(p12|pfx)$/i.test(file.name);

function Upload({ hasOne }: { hasOne: boolean }) {
  const [password, setPassword] = useState('');
  const [accessRights, setAccessRights] = useState<AccessRights>();
  return (
    <UploadForm
      title={hasOne ? 'Upload the renewal' : 'Upload it'}
      field={{
        label: 'File',
        description:
          'The certificate that Apple issued for the request above; or a certificate with its private key in one PEM file, or PKCS#12 (.p12, .pfx)',
        accept: '.pem,.crt,.cer,.key,.txt,.p12,.pfx',
      }}
      fileFields={['pem', 'pkcs12']}
      otherFields={['password', 'accessRights']}
      upload={async (file, isConfirmed) => {
        const read = isPkcs12(file)
          ? { pkcs12: base64Of(new Uint8Array(await file.arrayBuffer())), password }
          : { pem: await file.text() };
        const body = {
          ...read,
          ...(accessRights && { accessRights }),
          ...(isConfirmed && { confirmOtherTopic: true }),
        };
        await call('setPushCertificate', { body });
        setPassword('');
      }}
      confirmable={{
        code: 'apns.other_topic',
        title: 'This is not a renewal',
        confirmLabel: 'Use it anyway',
        command: odetteLine(['push-certificate', 'set', 'FILE'], ['--other-topic']),
        words: ({ facts }) => <OtherTopic facts={facts} />,
      }}
      refreshes={['getPushCertificate', 'getStatus']}
      doneMessage="The push certificate is in use."
      more={(file, error) => (
        <>
          {isPkcs12(file) && (
            <SecretInput
              label="Password of the file"
              value={password}
              set={setPassword}
              error={fieldError(error, 'password')}
            />
          )}
          {!hasOne && (
            <AccessRightsChoice
              value={accessRights}
              set={setAccessRights}
              error={fieldError(error, 'accessRights')}
            />
          )}
        </>
      )}
    />
  );
}

type AccessRights = ResponseOf<'getPushCertificate'>['accessRights'];

const ACCESS_RIGHTS: Readonly<Record<AccessRights, { label: string; consequence: string }>> = {
  trust_only: {
    label: 'Trust only',
    consequence:
      'The enrollment screen does not say that data may be erased. No tool can ever lock or erase a device through this enrollment.',
  },
  full: {
    label: 'Full',
    consequence:
      'Lock and erase stay possible for later tools. The enrollment screen says that the administrator may erase all data.',
  },
};

function AccessRightsChoice(props: {
  readonly value: AccessRights | undefined;
  readonly set: (chosen: AccessRights) => void;
  readonly error: string | undefined;
}) {
  return (
    <Radio.Group
      label="What enrolled devices let Odette do"
      description="You choose once: an enrolled device accepts no rights that you add later."
      value={props.value ?? null}
      onChange={(chosen) => props.set(chosen as AccessRights)}
      error={props.error}
      withAsterisk
    >
      <Stack gap="xs" mt="xs">
        {Object.entries(ACCESS_RIGHTS).map(([value, { label, consequence }]) => (
          <Radio key={value} value={value} label={label} description={consequence} />
        ))}
      </Stack>
    </Radio.Group>
  );
}

function OtherTopic({ facts }: { facts: Problem['facts'] }) {
  const devices = plural(Number(facts?.['devices']), 'device');
  return (
    <Stack gap="xs">
      <Text size="sm" className="break-anywhere">
        Topic of this certificate: <b>{facts?.['topic']}</b>
        <br />
        Topic of {devices} that {Number(facts?.['devices']) === 1 ? 'is' : 'are'} enrolled:{' '}
        <b>{facts?.['topicBefore']}</b>
      </Text>
      <Text size="sm">
        A device keeps its topic until it enrolls again. When the current certificate expires, Odette can no
        longer wake these {devices}: it cannot renew their certificates, and no rollout reaches them. New
        devices enroll with the new topic.
      </Text>
      <Text size="sm">
        <b>Someone most likely chose “Create” instead of “Renew”.</b> Cancel, sign in at
        identity.apple.com/pushcert with the Apple Account of the current certificate, and renew it there.
      </Text>
    </Stack>
  );
}
