// A password field whose refusal a screen reader hears too: the component library leaves that to whoever uses it.
import { PasswordInput, type PasswordInputProps } from '@mantine/core';
import { useId, type ReactNode } from 'react';

export function PasswordField({
  label,
  error,
  description,
  ...others
}: PasswordInputProps & { label: string; error?: ReactNode }) {
  const id = useId();
  const [errorId, descriptionId] = [`${id}-error`, `${id}-description`];
  const describing = [error && errorId, description && descriptionId].filter(Boolean).join(' ');
  return (
    <PasswordInput
      id={id}
      label={label}
      error={error}
      description={description}
      errorProps={{ id: errorId }}
      descriptionProps={{ id: descriptionId }}
      aria-invalid={error ? true : undefined}
      aria-describedby={describing === '' ? undefined : describing}
      visibilityToggleButtonProps={{ 'aria-label': `Show or hide ${label}`, tabIndex: 0 }}
      {...others}
    />
  );
}
