// A field for a secret: can be revealed while typing, is never shown again; what is set already is told by date and name.
import { PasswordField } from './password-field.tsx';
import { momentWords, nameOfActor } from '../words.ts';

export interface SecretSet {
  readonly setAt: string;
  readonly setBy: string;
}

export const secretSetWords = ({ setAt, setBy }: SecretSet): string =>
  `Set on ${momentWords(setAt)} by ${nameOfActor(setBy)}`;

export function SecretInput(props: {
  label: string;
  value: string;
  set: (value: string) => void;
  isSet?: SecretSet | null | undefined;
  description?: string;
  error?: string | undefined;
}) {
  const { label, isSet, description } = props;
  const words = [description, isSet && `${secretSetWords(isSet)}. Leave it empty to keep it.`].filter(
    Boolean,
  );
  return (
    <PasswordField
      label={label}
      description={words.length > 0 ? words.join(' ') : undefined}
      value={props.value}
      onChange={(event) => props.set(event.currentTarget.value)}
      error={props.error}
      required={!isSet}
      withAsterisk={false}
      autoComplete="off"
      spellCheck={false}
      visibilityToggleButtonProps={{ 'aria-label': `Show or hide ${label}`, tabIndex: 0 }}
    />
  );
}
