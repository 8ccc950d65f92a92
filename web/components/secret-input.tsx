// A field for a secret: can be revealed while typing, is never shown again; what is set already is told by date and name.
import type { ReactNode } from 'react';
import { PasswordField } from './password-field.tsx';
import { nameOfActor } from '../labels.ts';
import { Moment } from './moment.tsx';

export interface SecretSet {
  readonly setAt: string;
  readonly setBy: string;
}

export function SecretSetText({ set: { setAt, setBy } }: { set: SecretSet }) {
  return (
    <>
      Set <Moment at={setAt} /> by {nameOfActor(setBy)}
    </>
  );
}

export function SecretInput(props: {
  label: string;
  value: string;
  set: (value: string) => void;
  isSet?: SecretSet | null | undefined;
  /** It may stay empty though none is set. */
  isOptional?: boolean;
  description?: string;
  error?: ReactNode;
}) {
  const { label, isSet, isOptional = false, description } = props;
  const words = (
    <>
      {description}
      {description !== undefined && isSet && ' '}
      {isSet && (
        <>
          <SecretSetText set={isSet} />. Leave it empty to keep it.
        </>
      )}
    </>
  );
  return (
    <PasswordField
      label={label}
      description={description !== undefined || isSet ? words : undefined}
      value={props.value}
      onChange={(event) => props.set(event.currentTarget.value)}
      error={props.error}
      required={!isSet && !isOptional}
      withAsterisk={false}
      autoComplete="off"
      spellCheck={false}
      visibilityToggleButtonProps={{ 'aria-label': `Show or hide ${label}`, tabIndex: 0 }}
    />
  );
}
