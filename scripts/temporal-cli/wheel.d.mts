// Types of wheel.mjs for its test.

/** @throws Error when the archive is broken or holds no wanted file */
export function unzip(archive: Buffer, isWanted: (name: string) => boolean): Buffer;
