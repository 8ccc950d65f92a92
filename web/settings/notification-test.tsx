// Sends a test notification the way that every notification goes, and shows what becomes of it and of those before.
import { Alert, Table, Text } from '@mantine/core';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { ListTable } from '../components/list-table.tsx';
import { Moment } from '../components/moment.tsx';
import { Loaded } from '../components/page.tsx';
import { odetteLine } from '../odette-line.ts';
import { useApiQuery, useChange, type ResponseOf } from '../queries.ts';
import type { Target } from './notification-kinds.ts';
import { Remedy } from '../components/remedy.tsx';

type Sent = ResponseOf<'listNotifications'>['items'][number];

export function TestDialog({ target: { id, name }, close }: { target: Target; close: () => void }) {
  const params = { id };
  const list = useApiQuery('listNotifications', { params, query: { limit: 10 } }, { everyMs: 1_000 });
  const change = useChange('testNotificationTarget', ['listNotifications', 'listNotificationTargets']);
  const test = list.data?.items.find((sent) => sent.id === change.data?.id);
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Test ${name}`}
      confirmLabel={change.data === undefined ? 'Send a test' : 'Send another test'}
      confirm={() => change.mutate({ params })}
      isBusy={change.isPending}
      error={change.error}
      cancelLabel="Close"
      command={odetteLine(['notification', 'test', name])}
    >
      <div role="status">{change.data !== undefined && <Outcome sent={test} />}</div>
      <Loaded query={list} lines={2}>
        {({ items }) =>
          items.length === 0 ? (
            <Text size="sm" c="dimmed">
              Odette has not sent anything there yet.
            </Text>
          ) : (
            <ListTable label={`Notifications to ${name}`} heads={['Sent', 'Subject', 'Outcome']}>
              {items.map((sent) => (
                <Table.Tr key={sent.id}>
                  <Table.Td>
                    <Moment at={sent.createdAt} />
                  </Table.Td>
                  <Table.Td>{sent.subject}</Table.Td>
                  <Table.Td className="break-anywhere">
                    <OutcomeText sent={sent} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </ListTable>
          )
        }
      </Loaded>
    </ConfirmDialog>
  );
}

function Outcome({ sent }: { sent: Sent | undefined }) {
  if (sent?.outcome === 'delivered') return <Alert color="green" title="Delivered" />;
  if (sent?.failure == null) return <Text size="sm">Sending …</Text>;
  return (
    <Alert color="red" title={sent.failure.title}>
      {sent.failureDetail !== null && (
        <Text size="sm" className="break-anywhere">
          {sentence(sent.failureDetail)}
        </Text>
      )}
      <Text size="sm">
        <Remedy text={sent.failure.remedy} />
      </Text>
    </Alert>
  );
}

/** What a mail server or webhook said may end anyhow. */
const sentence = (text: string): string => (/[.!?…]$/.test(text.trim()) ? text : `${text.trim()}.`);

function OutcomeText({ sent: { outcome, attempts, nextAttemptAt, failure, failureDetail } }: { sent: Sent }) {
  if (outcome === 'delivered') return <>Delivered</>;
  if (failure === null) return <>Sending</>;
  return (
    <>
      {outcome === 'given_up' ? 'Given up' : `Attempt ${attempts} failed`}: {failure.title}
      {failureDetail !== null && ` ${sentence(failureDetail)}`}
      {nextAttemptAt !== null && (
        <>
          {' '}
          Next attempt <Moment at={nextAttemptAt} />.
        </>
      )}
    </>
  );
}
