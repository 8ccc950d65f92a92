// Text from devices and people as a database can hold it.

/** PostgreSQL's text and JSON hold no NUL, and half a surrogate pair is no text: shown as replacement characters. */
export const storableText = (text: string): string => text.replace(/\0|\p{Surrogate}/gu, '\ufffd');
