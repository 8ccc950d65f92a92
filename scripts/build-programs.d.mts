/** Bundles Odette's programs into dist/ when their sources changed. */
export function buildPrograms(say: (line: string) => void): Promise<void>;
