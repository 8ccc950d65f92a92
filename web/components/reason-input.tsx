// Why somebody does it: kept in the activity log.
import { TextInput } from '@mantine/core';

export function ReasonInput({
  reason,
  set,
  required = false,
}: {
  reason: string;
  set: (reason: string) => void;
  required?: boolean;
}) {
  return (
    <TextInput
      label="Reason"
      description={required ? 'Shown in the activity log' : 'Optional; shown in the activity log'}
      value={reason}
      maxLength={500}
      required={required}
      withAsterisk={false}
      onChange={(event) => set(event.currentTarget.value)}
      {...(required ? { 'data-autofocus': true } : {})}
    />
  );
}

/** As a body takes it: left out when empty. */
export const reasonGiven = (reason: string): { reason?: string } =>
  reason.trim() === '' ? {} : { reason: reason.trim() };
