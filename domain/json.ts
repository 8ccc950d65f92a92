/** What a stranger sent as JSON; undefined: it is none, which the schema then refuses. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
