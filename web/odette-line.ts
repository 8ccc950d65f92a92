// The `odette` command that does what a dialog does; a test gives each of them to the command line to read.
type Option = readonly [flag: `--${string}`, value?: string | number | undefined];

/** Words as they are typed; an option whose value is missing is left out, one without a value stands alone. */
export function odetteLine(words: readonly string[], ...options: readonly Option[]): string {
  const flags = options.flatMap((option) => {
    const [flag, value] = option;
    if (option.length === 1) return [flag];
    return value === undefined || value === '' ? [] : [flag, String(value)];
  });
  return ['odette', ...[...words, ...flags].map(quoted)].join(' ');
}

/** As a POSIX shell reads it: bare where that is safe. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** How a device is named on the command line. */
export const deviceWord = ({ id, serialNumber }: { id: string; serialNumber: string | null }): string =>
  serialNumber ?? id;
