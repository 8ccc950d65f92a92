// Which devices have read the iOS secret key; replacing it is offered when one of them is in doubt.
import { Alert, Button, Group, Stack, Switch, Table, Text } from '@mantine/core';
import { useState } from 'react';
import { CommandLine } from '../components/command-line.tsx';
import { CursorPages } from '../components/cursor-pages.tsx';
import { Dialog } from '../components/dialog.tsx';
import { AnchorLink } from '../components/links.tsx';
import { ListTable } from '../components/list-table.tsx';
import { Moment } from '../components/moment.tsx';
import { Empty, Loaded } from '../components/page.tsx';
import { countText } from '../labels.ts';
import { odetteLine } from '../odette-line.ts';
import { useApiQuery, type ResponseOf } from '../queries.ts';
import { ToRotation } from '../rotations/to-rotation.tsx';
import { useMay } from '../shell/session.ts';
import type { Integration } from './integration.ts';

type Reader = ResponseOf<'listIosKeyReaders'>['items'][number];

const DOUBTS: Readonly<Record<NonNullable<Reader['doubt']>, string>> = {
  deleted: 'Deleted in Odette',
  left: 'Left',
  unreachable: 'Unreachable',
  out_of_scope: 'Out of scope',
};

export function IosKeyReaders({ integration: { id, host } }: { integration: Integration }) {
  const isAdmin = useMay('admin');
  const query = useApiQuery('listIosKeyReaders', { params: { id }, query: { limit: 1 } });
  const [isOpen, setOpen] = useState(false);
  if (query.data === undefined) return null;
  const { readers, doubtful } = query.data;
  return (
    <Stack gap="xs">
      <Group gap="sm">
        <Text size="sm">{countText(readers)} devices have read the key.</Text>
        {readers > 0 && (
          <Button size="compact-xs" variant="default" onClick={() => setOpen(true)}>
            Show devices
          </Button>
        )}
      </Group>
      {doubtful > 0 && (
        <Alert color="yellow" title={`${countText(doubtful)} of them are in doubt`}>
          <Stack gap="xs">
            <Text size="sm">
              They have left, or are unreachable, out of scope or deleted, and still have the key. If someone
              else may have one of them, rotate the key. Odette sends the new key to all other devices.
            </Text>
            {isAdmin && <ToRotation integrationId={id} label="Rotate the secret key" />}
          </Stack>
        </Alert>
      )}
      <Dialog opened={isOpen} onClose={() => setOpen(false)} title="Devices that have read the key" size="xl">
        {isOpen && <ReaderList id={id} host={host} isDoubtful={doubtful > 0} />}
      </Dialog>
    </Stack>
  );
}

function ReaderList({ id, host, isDoubtful }: { id: string; host: string; isDoubtful: boolean }) {
  const [isOnly, setOnly] = useState(isDoubtful);
  const [after, setAfter] = useState<string>();
  const query = useApiQuery('listIosKeyReaders', {
    params: { id },
    query: {
      doubt: isOnly ? 'only' : 'any',
      ...(after === undefined ? {} : { after }),
    },
  });
  return (
    <Stack>
      <Switch
        label="Only devices in doubt"
        checked={isOnly}
        onChange={(event) => {
          setOnly(event.currentTarget.checked);
          setAfter(undefined);
        }}
      />
      <Loaded query={query}>
        {({ items, next }) => (
          <>
            {items.length === 0 ? (
              <Empty title="None">No device in doubt has read the key.</Empty>
            ) : (
              <ListTable label="Readers" heads={['Device', 'Serial number', 'Last read', 'In doubt']}>
                {items.map((reader) => (
                  <Row key={reader.udid} reader={reader} />
                ))}
              </ListTable>
            )}
            <CursorPages after={after} next={next} go={setAfter} />
          </>
        )}
      </Loaded>
      <CommandLine
        command={odetteLine(
          ['ios-key', 'readers'],
          ['--integration', host],
          ...(isOnly ? [['--in-doubt'] as const] : []),
        )}
      />
    </Stack>
  );
}

function Row({ reader }: { reader: Reader }) {
  const name = reader.name ?? reader.udid;
  return (
    <Table.Tr>
      <Table.Td className="break-anywhere">
        {reader.deviceId === null ? (
          name
        ) : (
          <AnchorLink to="/devices/$deviceId" params={{ deviceId: reader.deviceId }} size="sm">
            {name}
          </AnchorLink>
        )}
      </Table.Td>
      <Table.Td>{reader.serialNumber ?? '–'}</Table.Td>
      <Table.Td>
        <Moment at={reader.lastAt} />
      </Table.Td>
      <Table.Td>{reader.doubt === null ? '–' : DOUBTS[reader.doubt]}</Table.Td>
    </Table.Tr>
  );
}
