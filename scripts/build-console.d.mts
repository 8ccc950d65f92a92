// Types of build-console.mjs for the tests.

/** Builds the console when its sources changed. */
export function buildConsole(
  say: (line: string) => void,
  options?: { readonly isForced?: boolean },
): Promise<void>;

/** What a browser loads until an admin sees devices, in kB of 1000 bytes, compressed. */
export function firstPageKilobytes(): Promise<number>;
