// A file of Apple's that is uploaded here: chosen, checked by the API, its refusal said at the field, the field empty again afterwards.
import { Button, Group, Paper, Stack, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { ApiProblem, type Problem } from '../client.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { FileField } from '../components/file-field.tsx';
import { fieldError, ProblemAlert } from '../components/problem-alert.tsx';
import type { ConsoleOperation } from '../operations.ts';

interface UploadFormProps {
  readonly title: string;
  readonly field: { readonly label: string; readonly description: string; readonly accept: string };
  /** Of the body: their refusals are said at the file or beside it. */
  readonly fileFields: readonly string[];
  readonly otherFields?: readonly string[];
  /** @throws ApiProblem */
  readonly upload: (file: File, isConfirmed: boolean) => Promise<unknown>;
  /** A refusal that an admin may override, after a dialog that says what follows. */
  readonly confirmable?: {
    readonly code: string;
    readonly title: string;
    readonly confirmLabel: string;
    readonly command: string;
    readonly words: (problem: Problem) => ReactNode;
  };
  readonly refreshes: readonly ConsoleOperation[];
  readonly doneMessage: string;
  /** Further fields, which depend on the file. */
  readonly more?: (file: File | undefined, error: unknown) => ReactNode;
}

export function UploadForm(props: UploadFormProps) {
  const { title, field, fileFields, otherFields = [], upload, confirmable, refreshes, more } = props;
  const [file, setFile] = useState<File>();
  const [round, setRound] = useState(0);
  const client = useQueryClient();
  const onSuccess = async () => {
    notifications.show({ message: props.doneMessage, color: 'green' });
    clear();
    setFile(undefined);
    // A new field: a browser lets nobody empty the one that is there.
    setRound(round + 1);
    await Promise.all(refreshes.map((operation) => client.invalidateQueries({ queryKey: [operation] })));
  };
  const change = useMutation({ mutationFn: (chosen: File) => upload(chosen, false), onSuccess });
  const confirmed = useMutation({ mutationFn: (chosen: File) => upload(chosen, true), onSuccess });
  const clear = () => {
    change.reset();
    confirmed.reset();
  };
  const problem = change.error instanceof ApiProblem ? change.error.problem : undefined;
  const toConfirm = confirmable !== undefined && problem?.code === confirmable.code ? problem : undefined;
  const refusal = fileFields.map((name) => fieldError(change.error, name)).find(Boolean);
  return (
    <Paper withBorder p="md">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (file) change.mutate(file);
        }}
      >
        <Stack>
          <Title order={2} size="h4">
            {title}
          </Title>
          <FileField
            key={round}
            {...field}
            choose={(chosen) => {
              clear();
              setFile(chosen);
            }}
            error={refusal}
          />
          {more?.(file, change.error)}
          <ProblemAlert
            error={toConfirm ? undefined : change.error}
            exceptFields={[...fileFields, ...otherFields]}
          />
          <Group justify="flex-end">
            <Button type="submit" disabled={!file} loading={change.isPending}>
              Upload
            </Button>
          </Group>
        </Stack>
      </form>
      {confirmable && toConfirm && file && (
        <ConfirmDialog
          opened
          close={clear}
          title={confirmable.title}
          confirmLabel={confirmable.confirmLabel}
          confirm={() => confirmed.mutate(file)}
          command={confirmable.command}
          isBusy={confirmed.isPending}
          isDangerous
          error={confirmed.error}
        >
          {confirmable.words(toConfirm)}
        </ConfirmDialog>
      )}
    </Paper>
  );
}
