// Enrollment codes of a blueprint: made here, shown once, revoked here.
import {
  Alert,
  Badge,
  Button,
  Group,
  Modal,
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
import { countWords } from '../words.ts';

type Code = Answer<'listEnrollmentCodes'>['items'][number];
type NewCode = Answer<'createEnrollmentCode'>;

function stateOf(code: Code): { label: string; color: string } {
  if (code.revokedAt !== null) return { label: 'Revoked', color: 'gray' };
  if (Date.parse(code.expiresAt) < Date.now()) return { label: 'Expired', color: 'gray' };
  if (code.uses >= code.maxUses) return { label: 'Used up', color: 'gray' };
  return { label: 'Valid', color: 'green' };
}

export function EnrollmentCodes({ blueprintId }: { blueprintId: string }) {
  const query = useAnswer('listEnrollmentCodes', { params: { id: blueprintId } });
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<NewCode>();
  const [revoking, setRevoking] = useState<Code>();
  return (
    <Stack>
      <Group>
        <Button size="xs" onClick={() => setMaking(true)}>
          Make a code
        </Button>
      </Group>
      <Loaded query={query} lines={2}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No code yet">
              A code lets a device enroll into this blueprint. Send its link to the device’s user, or open it
              on the device.
            </Empty>
          ) : (
            <div className="table-scroll" role="region" aria-label="Table of enrollment codes" tabIndex={0}>
              <Table>
                <Table.Thead>
                  <Table.Tr>
                    {['State', 'User', 'Used', 'Ends', 'Made by', 'Action'].map((label) => (
                      <Table.Th scope="col" key={label}>
                        {label}
                      </Table.Th>
                    ))}
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {items.map((code) => (
                    <Table.Tr key={code.id}>
                      <Table.Td>
                        <Badge variant="light" color={stateOf(code).color} tt="none">
                          {stateOf(code).label}
                        </Badge>
                      </Table.Td>
                      <Table.Td className="break-anywhere">{code.user ?? 'Anyone'}</Table.Td>
                      <Table.Td>
                        {countWords(code.uses)} of {countWords(code.maxUses)}
                      </Table.Td>
                      <Table.Td>
                        <Moment at={code.expiresAt} />
                      </Table.Td>
                      <Table.Td>{code.createdBy.replace(/^(person|token):/, '')}</Table.Td>
                      <Table.Td>
                        {stateOf(code).label === 'Valid' && (
                          <Button size="compact-xs" variant="default" onClick={() => setRevoking(code)}>
                            Revoke
                          </Button>
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
          blueprintId={blueprintId}
          close={() => setMaking(false)}
          made={(code) => {
            setMaking(false);
            setMade(code);
          }}
        />
      )}
      <Modal opened={made !== undefined} onClose={() => setMade(undefined)} title="The enrollment code">
        {made && (
          <Stack>
            <Alert color="yellow" title="Shown this once">
              Copy the link now; later it cannot be shown again.
            </Alert>
            <CopyValue label="Link" value={made.link} />
            <CopyValue label="Code" value={made.code} />
            <Text size="sm">
              The user opens the link on the device, downloads the profile and installs it in System Settings
              (Mac) or Settings (iPhone, iPad).
            </Text>
            <Group justify="flex-end">
              <Button onClick={() => setMade(undefined)}>Done</Button>
            </Group>
          </Stack>
        )}
      </Modal>
      {revoking && <RevokeDialog code={revoking} close={() => setRevoking(undefined)} />}
    </Stack>
  );
}

function MakeDialog({
  blueprintId,
  close,
  made,
}: {
  blueprintId: string;
  close: () => void;
  made: (code: NewCode) => void;
}) {
  const [user, setUser] = useState('');
  const [maxUses, setMaxUses] = useState<number | string>(1);
  const [days, setDays] = useState<number | string>(7);
  const body = {
    maxUses: Number(maxUses),
    expiresInHours: Number(days) * 24,
    ...(user.trim() === '' ? {} : { user: user.trim() }),
  };
  const given = { params: { id: blueprintId }, body };
  const change = useChange('createEnrollmentCode', ['listEnrollmentCodes'], made);
  return (
    <ConfirmDialog
      opened
      close={close}
      title="Make an enrollment code"
      confirmLabel="Make"
      confirm={() => change.mutate(given)}
      isBusy={change.isPending}
      isOff={!(body.maxUses >= 1) || !(body.expiresInHours >= 1)}
      error={change.error}
      command={curlLine('createEnrollmentCode', given)}
    >
      <TextInput
        label="User"
        description="Login in Okta, if the device is for one person. iPhones and iPads are matched in Okta by it."
        value={user}
        onChange={(event) => setUser(event.currentTarget.value)}
        error={fieldError(change.error, 'user')}
        data-autofocus
      />
      <Group grow>
        <NumberInput
          label="Devices"
          min={1}
          max={100_000}
          value={maxUses}
          onChange={setMaxUses}
          hideControls
        />
        <NumberInput label="Valid for days" min={1} max={366} value={days} onChange={setDays} hideControls />
      </Group>
    </ConfirmDialog>
  );
}

function RevokeDialog({ code, close }: { code: Code; close: () => void }) {
  const given = { params: { id: code.id } };
  const change = useChange('revokeEnrollmentCode', ['listEnrollmentCodes'], close);
  return (
    <ConfirmDialog
      opened
      close={close}
      title="Revoke this code?"
      confirmLabel="Revoke"
      isDangerous
      confirm={() => change.mutate(given)}
      isBusy={change.isPending}
      error={change.error}
      command={curlLine('revokeEnrollmentCode', given)}
    >
      <Text>
        No further device can enroll with it. The {countWords(code.uses)} enrolled with it stay enrolled.
      </Text>
    </ConfirmDialog>
  );
}
