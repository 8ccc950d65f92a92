// API tokens: made here, shown once, revoked here.
import { NativeSelect, NumberInput, TextInput } from '@mantine/core';
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
import { nameOfActor, type Role } from '../labels.ts';
import { ROLE_CHOICES } from './people.tsx';

type Token = ResponseOf<'listTokens'>['items'][number];

const COLUMNS: readonly Column<Token>[] = [
  { label: 'Name', cell: ({ name }) => name },
  { label: 'Role', cell: ({ role }) => role },
  { label: 'Created by', cell: ({ createdBy }) => nameOfActor(createdBy) },
  { label: 'Last used', cell: ({ lastUsedAt }) => <Moment at={lastUsedAt} none="Never" /> },
  {
    label: 'Expires',
    cell: ({ expiresAt, revokedAt }) =>
      revokedAt === null ? (
        <Moment at={expiresAt} none="Never" />
      ) : (
        <StateBadge label="Revoked" color="gray" />
      ),
  },
];

export function Tokens() {
  return (
    <IssuedList
      query={useApiQuery('listTokens', {})}
      label="API tokens"
      makeLabel="Create token"
      empty={{
        title: 'No API token yet',
        text: 'A token lets a program use the API with the role that you choose.',
      }}
      columns={COLUMNS}
      revokeLabel={({ revokedAt, name }) => (revokedAt === null ? `Revoke ${name}` : undefined)}
      makeDialog={(props) => <MakeDialog {...props} />}
      revokeDialog={(token, close) => <Revoke token={token} close={close} />}
    />
  );
}

function MakeDialog({ close, made }: { close: () => void; made: (shown: ShownOnce) => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [days, setDays] = useState<number | string>(90);
  const expiresInDays = Number(days) >= 1 ? Number(days) : undefined;
  const body = { name: name.trim(), role, ...(expiresInDays === undefined ? {} : { expiresInDays }) };
  const change = useChange('createToken', ['listTokens'], ({ token }) =>
    made({
      title: 'The API token',
      values: [{ label: 'Token', value: token }],
      advice: 'Programs send it as a bearer token; `odette` takes it from ODETTE_TOKEN or a file.',
    }),
  );
  return (
    <ConfirmDialog
      opened
      close={close}
      title="Create an API token"
      confirmLabel="Create"
      confirm={() => change.mutate({ body })}
      isBusy={change.isPending}
      isOff={body.name === ''}
      error={change.error}
      command={odetteLine(
        ['token', 'create', body.name === '' ? 'NAME' : body.name],
        ['--role', role],
        ['--days', expiresInDays],
      )}
    >
      <TextInput
        label="Name"
        description="What will use it"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={fieldError(change.error, 'name')}
        data-autofocus
      />
      <NativeSelect
        label="Role"
        value={role}
        data={ROLE_CHOICES}
        onChange={(event) => setRole(event.currentTarget.value as Role)}
      />
      <NumberInput
        label="Valid for days"
        description="90 if left empty"
        min={1}
        max={3_650}
        value={days}
        onChange={setDays}
        hideControls
        error={fieldError(change.error, 'expiresInDays')}
      />
    </ConfirmDialog>
  );
}

function Revoke({ token, close }: { token: Token; close: () => void }) {
  const change = useChange('revokeToken', ['listTokens'], close);
  return (
    <RevokeDialog
      title={`Revoke ${token.name}?`}
      consequence="Odette rejects it from now on. You cannot undo this."
      command={odetteLine(['token', 'revoke', token.id])}
      revoke={() => change.mutate({ params: { id: token.id } })}
      isBusy={change.isPending}
      error={change.error}
      close={close}
    />
  );
}
