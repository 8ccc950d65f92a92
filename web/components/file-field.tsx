// Choosing a file with the browser's own button, which every keyboard and screen reader knows.
import { Input } from '@mantine/core';
import { useId } from 'react';

export function FileField({
  label,
  description,
  accept,
  choose,
  error,
}: {
  label: string;
  description: string;
  accept: string;
  choose: (file: File | undefined) => void;
  error?: string | undefined;
}) {
  const id = useId();
  return (
    <Input.Wrapper id={id} label={label} description={description} error={error}>
      <input
        id={id}
        type="file"
        accept={accept}
        aria-describedby={`${id}-description`}
        onChange={(event) => choose(event.currentTarget.files?.[0])}
        style={{ display: 'block', marginTop: 6, font: 'inherit', color: 'inherit', maxWidth: '100%' }}
      />
    </Input.Wrapper>
  );
}
