// The enrollment link to copy, or what has to be set before there is one.
import { Code, Stack, Text } from '@mantine/core';
import { CopyValue } from './copy-value.tsx';

export function EnrollmentLink({ label, link }: { label: string; link: string | null }) {
  if (link !== null) return <CopyValue label={label} value={link} />;
  return (
    <Stack gap={2}>
      <Text size="sm" fw={600}>
        {label}
      </Text>
      <Text size="sm">
        None yet. Set <Code>ODETTE_PUBLIC_URL</Code> to the address where devices reach Odette, then restart
        Odette.
      </Text>
    </Stack>
  );
}
