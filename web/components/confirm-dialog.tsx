// A dialog that states consequence and number, shows the command, and does one thing.
import { Button, Group, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { CommandLine } from './command-line.tsx';
import { Dialog } from './dialog.tsx';
import { ProblemAlert } from './problem-alert.tsx';

export interface ConfirmDialogProps {
  readonly opened: boolean;
  readonly close: () => void;
  readonly title: string;
  readonly confirmLabel: string;
  readonly confirm: () => void;
  readonly command?: string | undefined;
  readonly isBusy?: boolean;
  readonly isDangerous?: boolean;
  readonly isOff?: boolean;
  readonly error?: unknown;
  readonly cancelLabel?: string;
  readonly children: ReactNode;
}

export function ConfirmDialog(props: ConfirmDialogProps) {
  return (
    <Dialog opened={props.opened} onClose={props.close} title={props.title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!props.isOff && !props.isBusy) props.confirm();
        }}
      >
        <Stack>
          {props.children}
          <ProblemAlert error={props.error} />
          {props.command !== undefined && <CommandLine command={props.command} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={props.close}>
              {props.cancelLabel ?? 'Cancel'}
            </Button>
            <Button
              type="submit"
              {...(props.isDangerous ? { color: 'red.9' } : {})}
              loading={props.isBusy ?? false}
              disabled={props.isOff ?? false}
            >
              {props.confirmLabel}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
