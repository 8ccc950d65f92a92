// Adding a blueprint: on the blueprints' page, and where a library item is assigned.
import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { fieldError } from '../components/problem-alert.tsx';
import { odetteLine } from '../odette-line.ts';
import { useChange } from '../queries.ts';

export function AddBlueprintDialog({ close, added }: { close: () => void; added: (id: string) => void }) {
  const [name, setName] = useState('');
  const body = { name: name.trim() };
  const change = useChange('createBlueprint', ['listBlueprints'], ({ id }) => added(id));
  return (
    <ConfirmDialog
      opened
      close={close}
      title="Add a blueprint"
      confirmLabel="Add"
      confirm={() => change.mutate({ body })}
      isBusy={change.isPending}
      isOff={body.name === ''}
      error={change.error}
      command={odetteLine(['blueprint', 'create', body.name === '' ? 'NAME' : body.name])}
    >
      <TextInput
        label="Name"
        value={name}
        maxLength={100}
        onChange={(event) => setName(event.currentTarget.value)}
        error={fieldError(change.error, 'name')}
        data-autofocus
      />
    </ConfirmDialog>
  );
}
