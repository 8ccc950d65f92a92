// How a device's state is shown everywhere: family, bucket, the five truths.
import { Badge, Group, Text, ThemeIcon, Tooltip } from '@mantine/core';
import { BUCKET_LABELS, deviceTitle, TRUTH_LABELS, type Bucket, type Family, type Truth } from '../labels.ts';
import { AnchorLink } from './links.tsx';
import { CheckIcon, CrossIcon, DashIcon, LaptopIcon, PhoneIcon, QuestionIcon, TabletIcon } from './icons.tsx';

/** The device by its title, leading to its page. */
export function DeviceLink({
  device,
}: {
  device: Parameters<typeof deviceTitle>[0] & { readonly id: string };
}) {
  return (
    <AnchorLink
      to="/devices/$deviceId"
      params={{ deviceId: device.id }}
      size="sm"
      className="one-line"
      title={deviceTitle(device)}
    >
      {deviceTitle(device)}
    </AnchorLink>
  );
}

export function BucketBadge({ bucket }: { bucket: Bucket }) {
  const { label, color } = BUCKET_LABELS[bucket];
  return (
    <Badge variant="light" color={color} tt="none" fw={600}>
      {label}
    </Badge>
  );
}

const FAMILY_ICONS = { Mac: LaptopIcon, iPhone: PhoneIcon, iPad: TabletIcon, Other: QuestionIcon };

/** Where there is no room for its name. */
export function FamilySign({ family }: { family: Family }) {
  const FamilyIcon = FAMILY_ICONS[family];
  return (
    <span role="img" aria-label={family} title={family} style={{ display: 'inline-flex' }}>
      <FamilyIcon />
    </span>
  );
}

export function FamilyMark({ family }: { family: Family }) {
  const FamilyIcon = FAMILY_ICONS[family];
  return (
    <Group gap={6} wrap="nowrap">
      <FamilyIcon />
      <Text size="sm">{family}</Text>
    </Group>
  );
}

/** Apple's name of its model, with the identifier on hover; the identifier where Odette knows no name. */
export function ModelName({
  device: { model, modelName },
}: {
  device: { readonly model: string | null; readonly modelName: string | null };
}) {
  return modelName === null ? (model ?? '–') : <span title={model ?? undefined}>{modelName}</span>;
}

/** Five dots in their order, for tables; the words are there for screen readers and on hover. */
export function TruthDots({ truths }: { truths: Readonly<Record<Truth, boolean | null>> }) {
  const names = Object.keys(TRUTH_LABELS) as Truth[];
  const applying = names.filter((name) => truths[name] !== null);
  const held = applying.filter((name) => truths[name]);
  const missing = applying.filter((name) => !truths[name]).map((name) => TRUTH_LABELS[name]);
  const words =
    missing.length === 0
      ? `All ${applying.length === names.length ? 'five truths' : 'truths that apply'} hold`
      : `Not yet: ${missing.join(', ')}`;
  return (
    <Tooltip label={words} multiline maw={280}>
      <svg width={70} height={14} role="img" aria-label={`${held.length} of ${applying.length}. ${words}`}>
        {names.map((name, index) =>
          truths[name] === null ? (
            <path
              key={name}
              d={`M${2 + index * 14} 7h10`}
              stroke="var(--mantine-color-dimmed)"
              strokeWidth={1.5}
            />
          ) : (
            <circle
              key={name}
              cx={7 + index * 14}
              cy={7}
              r={5}
              fill={truths[name] ? 'var(--mantine-color-green-7)' : 'transparent'}
              stroke={truths[name] ? 'var(--mantine-color-green-7)' : 'var(--mantine-color-dimmed)'}
              strokeWidth={1.5}
            />
          ),
        )}
      </svg>
    </Tooltip>
  );
}

const STATE_MARKS = {
  held: { color: 'green', icon: CheckIcon, label: 'holds' },
  not_held: { color: 'red', icon: CrossIcon, label: 'does not hold' },
  not_applicable: { color: 'gray', icon: DashIcon, label: 'does not apply' },
  unknown: { color: 'gray', icon: QuestionIcon, label: 'not known yet' },
  passed: { color: 'green', icon: CheckIcon, label: 'passed' },
  failed: { color: 'red', icon: CrossIcon, label: 'failed' },
  not_checked: { color: 'yellow', icon: QuestionIcon, label: 'not checked' },
} as const;

export function StateMark({ state }: { state: keyof typeof STATE_MARKS }) {
  const { color, icon: Mark, label } = STATE_MARKS[state];
  return (
    <ThemeIcon color={color} variant="light" radius="xl" size="md" role="img" aria-label={label}>
      <Mark />
    </ThemeIcon>
  );
}
