/** What a stranger sent as JSON; undefined: it is none, which the schema then refuses. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The same of an object; undefined: it is none. */
export function jsonObjectOf(text: string): Record<string, unknown> | undefined {
  const value = jsonOf(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
