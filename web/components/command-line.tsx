// The same thing from the command line: shown in every dialog.
import { Code, Group, Text } from '@mantine/core';
import { CopyIconButton } from './copy-value.tsx';

export function CommandLine({
  command,
  label = 'The same from the command line',
}: {
  command: string;
  label?: string;
}) {
  return (
    <div>
      <Text size="xs" c="dimmed" mb={2}>
        {label}
      </Text>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <Code block flex={1} className="break-anywhere" style={{ whiteSpace: 'pre-wrap' }} tabIndex={0}>
          {command}
        </Code>
        <CopyIconButton value={command} what="command" />
      </Group>
    </div>
  );
}
