// What Okta Device Trust needs in the tenant: pass, fail or not checked, what it means and where to put it right.
import { Alert, Button, Checkbox, Group, List, Paper, Stack, Text } from '@mantine/core';
import { CommandLine } from '../components/command-line.tsx';
import { StateMark } from '../components/device-labels.tsx';
import { Dialog } from '../components/dialog.tsx';
import type { Setup } from './answers.ts';
import { Remedy } from '../components/remedy.tsx';

export type Prerequisite = Setup['prerequisites'][number];

export const isMet = (one: Prerequisite, confirmed: readonly string[]): boolean =>
  one.result === 'passed' || (one.canBeConfirmed && confirmed.includes(one.id));

const RESULT_LABELS = { passed: 'Passed', failed: 'Missing', not_checked: 'Not checked' } as const;

export function Prerequisites({
  list,
  confirmed,
  confirm,
}: {
  list: readonly Prerequisite[];
  confirmed: readonly string[];
  confirm?: (id: string, isSo: boolean) => void;
}) {
  return (
    <Stack gap="xs" component="ul" pl={0} style={{ listStyle: 'none' }} aria-label="Prerequisites">
      {list.map((one) => (
        <Paper key={one.id} withBorder p="sm" component="li">
          <Group align="flex-start" wrap="nowrap">
            <StateMark state={one.result} />
            <Stack gap={4} flex={1}>
              <Text fw={600}>
                {one.title}{' '}
                <Text span size="sm" c="dimmed">
                  {RESULT_LABELS[one.result]}
                </Text>
              </Text>
              {one.detail !== '' && <Text size="sm">{one.detail}</Text>}
              {one.result !== 'passed' && (
                <Text size="sm">
                  <b>Remedy:</b> <Remedy text={one.remedy} />
                </Text>
              )}
              {one.canBeConfirmed && confirm && (
                <Checkbox
                  mt={4}
                  label="I have checked this"
                  aria-label={`I have checked: ${one.title}`}
                  checked={confirmed.includes(one.id)}
                  onChange={(event) => confirm(one.id, event.currentTarget.checked)}
                />
              )}
            </Stack>
          </Group>
        </Paper>
      ))}
    </Stack>
  );
}

/** The seed's warning when something that must be configured in Okta is not. */
export function MissingDialog(props: {
  opened: boolean;
  close: () => void;
  checkAgain: () => void;
  isChecking: boolean;
  list: readonly Prerequisite[];
  /** That checks again. */
  command: string | undefined;
}) {
  const failed = props.list.filter(({ result }) => result === 'failed');
  return (
    <Dialog
      opened={props.opened && failed.length > 0}
      onClose={props.close}
      title="Prerequisites are missing in Okta"
    >
      <Stack>
        <Alert color="orange" title="Okta Device Trust cannot work without these">
          Fix them in the Okta tenant, then check again. Odette keeps what you entered.
        </Alert>
        <List>
          {failed.map(({ id, detail, remedy }) => (
            <List.Item key={id}>
              <b>{detail}</b> <Remedy text={remedy} />
            </List.Item>
          ))}
        </List>
        {props.command !== undefined && <CommandLine command={props.command} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={props.close}>
            Close
          </Button>
          <Button onClick={props.checkAgain} loading={props.isChecking} data-autofocus>
            Check again
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
