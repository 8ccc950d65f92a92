// Types of build-console.mjs for the tests.

/** What a browser loads until an admin sees devices, in kB of 1000 bytes, compressed. */
export function firstPageKilobytes(): Promise<number>;
