// People and their roles; those of the identity provider get theirs there.
import { Badge, Button, Group, NativeSelect, Stack, Switch, Table, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { PasswordField } from '../components/password-field.tsx';
import { curlLine } from '../curl-line.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { Moment } from '../components/moment.tsx';
import { Loaded } from '../components/page.tsx';
import { fieldError } from '../components/problem-alert.tsx';
import { useApiQuery, useChange, type ResponseOf } from '../queries.ts';
import type { Role } from '../labels.ts';
import { ProviderCard } from './identity-provider.tsx';
import { ResetSecondFactor, SecondFactorPolicy } from './second-factor-policy.tsx';
import { ListTable } from '../components/list-table.tsx';

type Person = ResponseOf<'listPeople'>['items'][number];

export const ROLE_CHOICES = [
  { value: 'viewer', label: 'Viewer: views everything' },
  { value: 'operator', label: 'Operator: also checks, renews, replays and enrolls devices' },
  { value: 'admin', label: 'Admin: also changes settings' },
];

export function People() {
  const query = useApiQuery('listPeople', {});
  const [edited, setEdited] = useState<Person | 'new'>();
  const [reset, setReset] = useState<Person>();
  return (
    <Stack>
      <Group>
        <Button size="xs" onClick={() => setEdited('new')}>
          Add person
        </Button>
      </Group>
      <Loaded query={query}>
        {({ items }) => (
          <ListTable
            label="People"
            heads={['Name', 'Role', 'Signs in with', 'Second factor', 'Since', 'Action']}
          >
            {items.map((person) => (
              <Table.Tr key={person.id}>
                <Table.Td className="break-anywhere">
                  {person.name}{' '}
                  {person.disabledAt !== null && (
                    <Badge variant="light" color="gray" tt="none">
                      Disabled
                    </Badge>
                  )}
                </Table.Td>
                <Table.Td>{person.role}</Table.Td>
                <Table.Td>{person.isLocal ? 'Local password' : 'Identity provider'}</Table.Td>
                <Table.Td>{secondFactorOf(person)}</Table.Td>
                <Table.Td>
                  <Moment at={person.createdAt} />
                </Table.Td>
                <Table.Td>
                  <Button
                    size="compact-xs"
                    variant="default"
                    onClick={() => setEdited(person)}
                    aria-label={`Change ${person.name}`}
                  >
                    Change
                  </Button>
                  {person.hasSecondFactor && (
                    <Button
                      size="compact-xs"
                      variant="default"
                      ml="xs"
                      onClick={() => setReset(person)}
                      aria-label={`Reset the second factor of ${person.name}`}
                    >
                      Reset second factor
                    </Button>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </ListTable>
        )}
      </Loaded>
      <SecondFactorPolicy />
      <ProviderCard />
      {reset && <ResetSecondFactor person={reset} close={() => setReset(undefined)} />}
      {edited === 'new' && <AddDialog close={() => setEdited(undefined)} />}
      {edited !== undefined && edited !== 'new' && (
        <ChangeDialog person={edited} close={() => setEdited(undefined)} />
      )}
    </Stack>
  );
}

const secondFactorOf = ({ isLocal, hasSecondFactor }: Person): string =>
  isLocal ? (hasSecondFactor ? 'On' : 'Off') : 'At the provider';

/** The choices stand from the lowest to the highest. */
const rankOf = (role: Role): number => ROLE_CHOICES.findIndex(({ value }) => value === role);

function RoleSelect({ role, choose }: { role: Role; choose: (role: Role) => void }) {
  return (
    <NativeSelect
      label="Role"
      value={role}
      data={ROLE_CHOICES}
      onChange={(event) => choose(event.currentTarget.value as Role)}
    />
  );
}

function NewPassword({
  label,
  value,
  set,
  error,
}: {
  label: string;
  value: string;
  set: (value: string) => void;
  error: string | undefined;
}) {
  return (
    <PasswordField
      label={label}
      description="At least 12 characters"
      value={value}
      onChange={(event) => set(event.currentTarget.value)}
      error={error}
      autoComplete="new-password"
    />
  );
}

function AddDialog({ close }: { close: () => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [password, setPassword] = useState('');
  const change = useChange('createPerson', ['listPeople'], close);
  return (
    <ConfirmDialog
      opened
      close={close}
      title="Add a person"
      confirmLabel="Add"
      confirm={() => change.mutate({ body: { name: name.trim(), role, password } })}
      isBusy={change.isPending}
      isOff={name.trim() === '' || password.length < 12}
      error={change.error}
      command={curlLine('createPerson', { body: { name: name.trim() || 'NAME', role, password: '…' } })}
    >
      <TextInput
        label="Name"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={fieldError(change.error, 'name')}
        autoComplete="off"
        data-autofocus
      />
      <RoleSelect role={role} choose={setRole} />
      <NewPassword
        label="Password"
        value={password}
        set={setPassword}
        error={fieldError(change.error, 'password')}
      />
    </ConfirmDialog>
  );
}

function ChangeDialog({ person, close }: { person: Person; close: () => void }) {
  const [role, setRole] = useState<Role>(person.role);
  const [password, setPassword] = useState('');
  const [isOff, setOff] = useState(person.disabledAt !== null);
  const body = {
    ...(role === person.role ? {} : { role }),
    ...(password === '' ? {} : { password }),
    ...(isOff === (person.disabledAt !== null) ? {} : { disabled: isOff }),
  };
  const params = { id: person.id };
  const change = useChange('updatePerson', ['listPeople'], close);
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Change ${person.name}`}
      confirmLabel="Save"
      confirm={() => change.mutate({ params, body })}
      isBusy={change.isPending}
      isOff={Object.keys(body).length === 0 || (password !== '' && password.length < 12)}
      error={change.error}
      command={curlLine('updatePerson', {
        params,
        body: password === '' ? body : { ...body, password: '…' },
      })}
    >
      {person.isLocal ? (
        <>
          <RoleSelect role={role} choose={setRole} />
          {rankOf(role) < rankOf(person.role) && (
            <Text size="sm">Odette revokes API tokens of this person that exceed the lower role.</Text>
          )}
          <NewPassword
            label="New password (empty: keep)"
            value={password}
            set={setPassword}
            error={fieldError(change.error, 'password')}
          />
        </>
      ) : (
        <Text size="sm">The groups at the identity provider set the role at each sign-in.</Text>
      )}
      <Switch
        label="Disabled"
        description="This person cannot sign in. Odette ends their sessions at once, and revokes the API tokens and enrollment codes that they created."
        checked={isOff}
        onChange={(event) => setOff(event.currentTarget.checked)}
      />
    </ConfirmDialog>
  );
}
