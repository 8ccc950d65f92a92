// The last responses of a device that Odette could not read: when, why, and each to download. Nothing is shown where there are none.
import { Button, Paper, Table, Title } from '@mantine/core';
import type { ResponseOf } from '../client.ts';
import { download } from '../components/file-content.ts';
import { Moment } from '../components/moment.tsx';
import { useApiQuery } from '../queries.ts';

type UnreadableResponse = ResponseOf<'getUnreadableResponses'>['items'][number];

export function UnreadableResponses({ deviceId }: { deviceId: string }) {
  const query = useApiQuery('getUnreadableResponses', { params: { id: deviceId } });
  const responses = query.data?.items ?? [];
  if (responses.length === 0) return null;
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="unreadable">
      <Title order={2} size="h4" id="unreadable" mb="sm">
        Unreadable responses
      </Title>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Received</Table.Th>
            <Table.Th scope="col">Reason</Table.Th>
            <Table.Th scope="col">Response</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {responses.map((response) => (
            <Table.Tr key={response.id}>
              <Table.Td>
                <Moment at={response.at} />
              </Table.Td>
              <Table.Td className="break-anywhere">{response.reason}</Table.Td>
              <Table.Td>
                {response.body === '' ? (
                  'Not stored: it may contain a secret.'
                ) : (
                  <Button variant="subtle" size="compact-sm" onClick={() => save(response)}>
                    Download
                  </Button>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Paper>
  );
}

function save({ id, body }: UnreadableResponse): void {
  const bytes = Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
  download(`response-${id}.plist`, bytes);
}
