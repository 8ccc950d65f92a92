// Types of chromium.mjs for the tests.

/** The machine's own: CHROMIUM_PATH, whatever it names, or one on PATH. */
export function findInstalledChromium(): string | undefined;

/** The fetched one, without the network: the program, and the environment in which it finds its libraries and fonts. */
export function findFetchedChromium():
  { readonly program: string; readonly env: Readonly<Record<string, string>> } | undefined;

/**
 * Nothing is fetched where one is there, and where none is to be had.
 * @throws Error why it could not be fetched
 */
export function haveChromium(say: (line: string) => void): Promise<void>;
