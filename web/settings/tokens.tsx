// API tokens: made here, shown once, revoked here.
import {
  Alert,
  Badge,
  Button,
  Group,
  Modal,
  NativeSelect,
  NumberInput,
  Stack,
  Table,
  Text,
  TextInput,
} from '@mantine/core';
import { useState } from 'react';
import { curlLine } from '../curl-line.ts';
import { ConfirmDialog } from '../parts/confirm-dialog.tsx';
import { CopyValue } from '../parts/copy-value.tsx';
import { Moment } from '../parts/moment.tsx';
import { Empty, Loaded } from '../parts/page.tsx';
import { fieldError } from '../parts/problem-alert.tsx';
import { useAnswer, useChange, type Answer } from '../queries.ts';
import type { Role } from '../words.ts';
import { ROLE_CHOICES } from './people.tsx';

type Token = Answer<'listTokens'>['items'][number];

export function Tokens() {
  const query = useAnswer('listTokens', {});
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<string>();
  const [revoking, setRevoking] = useState<Token>();
  return (
    <Stack>
      <Group>
        <Button size="xs" onClick={() => setMaking(true)}>
          Make a token
        </Button>
      </Group>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No API token yet">
              A token lets a program use the API in a role that you choose.
            </Empty>
          ) : (
            <div className="table-scroll" role="region" aria-label="API tokens" tabIndex={0}>
              <Table>
                <Table.Thead>
                  <Table.Tr>
                    {['Name', 'Role', 'Made by', 'Last used', 'Ends', 'Action'].map((label) => (
                      <Table.Th scope="col" key={label}>
                        {label}
                      </Table.Th>
                    ))}
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {items.map((token) => (
                    <Table.Tr key={token.id}>
                      <Table.Td className="break-anywhere">{token.name}</Table.Td>
                      <Table.Td>{token.role}</Table.Td>
                      <Table.Td>{token.createdBy.replace(/^(person|token):/, '')}</Table.Td>
                      <Table.Td>
                        <Moment at={token.lastUsedAt} none="Never" />
                      </Table.Td>
                      <Table.Td>
                        <Moment at={token.expiresAt} none="Never" />
                      </Table.Td>
                      <Table.Td>
                        {token.revokedAt === null ? (
                          <Button
                            size="compact-xs"
                            variant="default"
                            onClick={() => setRevoking(token)}
                            aria-label={`Revoke ${token.name}`}
                          >
                            Revoke
                          </Button>
                        ) : (
                          <Badge variant="light" color="gray" tt="none">
                            Revoked
                          </Badge>
                        )}
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </div>
          )
        }
      </Loaded>
      {isMaking && (
        <MakeDialog
          close={() => setMaking(false)}
          made={(token) => {
            setMaking(false);
            setMade(token);
          }}
        />
      )}
      <Modal opened={made !== undefined} onClose={() => setMade(undefined)} title="The API token">
        {made !== undefined && (
          <Stack>
            <Alert color="yellow" title="Shown this once">
              Copy it to a safe place now; later it cannot be shown again.
            </Alert>
            <CopyValue label="Token" value={made} />
            <Group justify="flex-end">
              <Button onClick={() => setMade(undefined)}>Done</Button>
            </Group>
          </Stack>
        )}
      </Modal>
      {revoking && <RevokeDialog token={revoking} close={() => setRevoking(undefined)} />}
    </Stack>
  );
}

function MakeDialog({ close, made }: { close: () => void; made: (token: string) => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [days, setDays] = useState<number | string>(90);
  const body = {
    name: name.trim(),
    role,
    ...(Number(days) >= 1 ? { expiresInDays: Number(days) } : {}),
  };
  const change = useChange('createToken', ['listTokens'], ({ token }) => made(token));
  return (
    <ConfirmDialog
      opened
      close={close}
      title="Make an API token"
      confirmLabel="Make"
      confirm={() => change.mutate({ body })}
      isBusy={change.isPending}
      isOff={body.name === ''}
      error={change.error}
      command={curlLine('createToken', { body })}
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
        description="Empty: until it is revoked"
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

function RevokeDialog({ token, close }: { token: Token; close: () => void }) {
  const given = { params: { id: token.id } };
  const change = useChange('revokeToken', ['listTokens'], close);
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Revoke ${token.name}?`}
      confirmLabel="Revoke"
      isDangerous
      confirm={() => change.mutate(given)}
      isBusy={change.isPending}
      error={change.error}
      command={curlLine('revokeToken', given)}
    >
      <Text>Programs that use it are refused from now on. It cannot be undone.</Text>
    </ConfirmDialog>
  );
}
