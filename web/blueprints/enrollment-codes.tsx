// Enrollment codes of a blueprint: made here, shown once, revoked here.
import { Alert, Group, NativeSelect, NumberInput, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { odetteLine } from '../odette-line.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import {
  IssuedList,
  RevokeDialog,
  StateBadge,
  type Column,
  type ShownOnce,
} from '../components/issued-list.tsx';
import { Moment } from '../components/moment.tsx';
import { fieldError } from '../components/problem-alert.tsx';
import { useApiQuery, useChange, type ResponseOf } from '../queries.ts';
import { useOwnServer } from '../shell/own-server.ts';
import { countText, nameOfActor } from '../labels.ts';

type Code = ResponseOf<'listEnrollmentCodes'>['items'][number];
interface Blueprint {
  readonly id: string;
  readonly name: string;
}

function stateOf(code: Code): { label: string; color: string } {
  if (code.revokedAt !== null) return { label: 'Revoked', color: 'gray' };
  if (Date.parse(code.expiresAt) < Date.now()) return { label: 'Expired', color: 'gray' };
  if (code.uses >= code.maxUses) return { label: 'Used up', color: 'gray' };
  return { label: 'Valid', color: 'green' };
}

const DEVICES_OF = { macOS: 'Macs', iOS: 'iPhones and iPads' } as const;
const PLATFORM_CHOICES = [
  { value: 'all', label: 'Macs, iPhones and iPads' },
  { value: 'macOS', label: DEVICES_OF.macOS },
  { value: 'iOS', label: DEVICES_OF.iOS },
] as const;
type PlatformChoice = (typeof PLATFORM_CHOICES)[number]['value'];

const platformsText = ([first, second]: Code['platforms']): string =>
  first === undefined || second !== undefined ? PLATFORM_CHOICES[0].label : DEVICES_OF[first];

const COLUMNS: readonly Column<Code>[] = [
  { label: 'State', cell: (code) => <StateBadge {...stateOf(code)} /> },
  { label: 'User', cell: (code) => code.user ?? 'Anyone' },
  { label: 'For', cell: ({ platforms }) => platformsText(platforms) },
  { label: 'Used', cell: (code) => `${countText(code.uses)} of ${countText(code.maxUses)}` },
  { label: 'Expires', cell: (code) => <Moment at={code.expiresAt} /> },
  { label: 'Created by', cell: (code) => nameOfActor(code.createdBy) },
];

export function EnrollmentCodes({ blueprint }: { blueprint: Blueprint }) {
  const query = useApiQuery('listEnrollmentCodes', { params: { id: blueprint.id } });
  const isNeeded = useOwnServer();
  return (
    <Stack>
      {!isNeeded && (
        <Alert color="gray" title="No enrollment code is needed here">
          Devices are enrolled in another MDM server. Create a code only for a device that should enroll in
          Odette itself. That also requires the push certificate.
        </Alert>
      )}
      <IssuedList
        query={query}
        label="Table of enrollment codes"
        makeLabel="Create code"
        empty={{
          title: 'No code yet',
          text: 'A code lets devices enroll into this blueprint. Send its link to the user of the device, or open the link on the device.',
        }}
        columns={COLUMNS}
        revokeLabel={(code) =>
          stateOf(code).label === 'Valid' ? `Revoke the code of ${code.user ?? 'anyone'}` : undefined
        }
        makeDialog={(props) => <MakeDialog blueprint={blueprint} {...props} />}
        revokeDialog={(code, close) => <Revoke code={code} close={close} />}
      />
    </Stack>
  );
}

const shownOnce = ({ link, code }: { link: string | null; code: string }): ShownOnce => ({
  title: 'The enrollment code',
  ...(link !== null && { link }),
  values: [
    ...(link === null ? [] : [{ label: 'Link', value: link }]),
    { label: 'Code', value: code },
    ...(link === null ? [] : [{ label: 'Message to send', value: messageOf(link) }]),
  ],
  advice:
    link === null
      ? 'No link yet: set ODETTE_PUBLIC_URL to the address where devices reach Odette, then restart Odette. The code stays valid.'
      : 'The user opens the link on the device, or scans the QR code with an iPhone or iPad. The link fills in the code. Anyone with the link can use the code.',
});

/** What the user of the device needs, and nothing else. */
const messageOf = (link: string): string =>
  `Please enroll your Mac, iPhone or iPad. Open this link on the device, download the profile, and install it in System Settings (Mac) or Settings (iPhone, iPad): ${link}`;

function MakeDialog({
  blueprint,
  close,
  made,
}: {
  blueprint: Blueprint;
  close: () => void;
  made: (shown: ShownOnce) => void;
}) {
  const [user, setUser] = useState('');
  const [maxUses, setMaxUses] = useState<number | string>(1);
  const [days, setDays] = useState<number | string>(7);
  const [platform, setPlatform] = useState<PlatformChoice>('all');
  const body = {
    ...(platform === 'all' ? {} : { platforms: [platform] }),
    maxUses: Number(maxUses),
    expiresInHours: Number(days) * 24,
    ...(user.trim() === '' ? {} : { user: user.trim() }),
  };
  const change = useChange('createEnrollmentCode', ['listEnrollmentCodes'], (code) => made(shownOnce(code)));
  return (
    <ConfirmDialog
      opened
      close={close}
      title="Create an enrollment code"
      confirmLabel="Create"
      confirm={() => change.mutate({ params: { id: blueprint.id }, body })}
      isBusy={change.isPending}
      isOff={!(body.maxUses >= 1) || !(body.expiresInHours >= 1)}
      error={change.error}
      command={odetteLine(
        ['enrollment-code', 'create'],
        ['--blueprint', blueprint.name],
        ['--user', body.user],
        ['--platform', platform === 'all' ? undefined : platform],
        ['--uses', body.maxUses],
        ['--hours', body.expiresInHours],
      )}
    >
      <TextInput
        label="User"
        description="Okta login of the user, if the device belongs to one person. Odette uses it to match iPhones and iPads with Okta."
        value={user}
        onChange={(event) => setUser(event.currentTarget.value)}
        error={fieldError(change.error, 'user')}
        data-autofocus
      />
      <NativeSelect
        label="For"
        description="A device of another kind cannot enroll with this code."
        value={platform}
        data={PLATFORM_CHOICES}
        onChange={(event) => setPlatform(event.currentTarget.value as PlatformChoice)}
      />
      <Group grow align="flex-start">
        <NumberInput
          label="Devices"
          min={1}
          max={100_000}
          value={maxUses}
          onChange={setMaxUses}
          error={fieldError(change.error, 'maxUses')}
          hideControls
        />
        <NumberInput
          label="Valid for days"
          min={1}
          max={366}
          value={days}
          onChange={setDays}
          error={fieldError(change.error, 'expiresInHours')}
          hideControls
        />
      </Group>
    </ConfirmDialog>
  );
}

function Revoke({ code, close }: { code: Code; close: () => void }) {
  const change = useChange('revokeEnrollmentCode', ['listEnrollmentCodes'], close);
  return (
    <RevokeDialog
      title="Revoke this code?"
      consequence={`No more devices can enroll with it. The ${countText(code.uses)} enrolled with it stay enrolled.`}
      command={odetteLine(['enrollment-code', 'revoke', code.id])}
      revoke={() => change.mutate({ params: { id: code.id } })}
      isBusy={change.isPending}
      error={change.error}
      close={close}
    />
  );
}
