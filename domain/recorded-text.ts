// Text from devices and services as it is recorded: a database can hold it, and it steers no terminal, log or page that shows it.

/**
 * C0 and C1 except tab and line feed; what turns the reading direction of the text around it (Unicode UAX 9); line ends that are none of
 * ASCII.
 */
const CONTROL = /[^\P{Cc}\t\n]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/gu;

/**
 * Control characters are removed. PostgreSQL's text and JSON hold no NUL, and half a surrogate pair is no text: shown as replacement
 * characters.
 */
export const recordedText = (text: string): string =>
  text.replace(/\0|\p{Surrogate}/gu, '\ufffd').replace(CONTROL, '');

/** The same on one line. */
export const recordedLine = (text: string): string => recordedText(text).replace(/\s+/gu, ' ').trim();

/** What is shown in a terminal or a log, as JSON escapes it: seen, without effect, and JSON stays the same JSON. */
export const withEscapedControls = (text: string): string =>
  text
    .replaceAll('\r\n', '\n')
    .replace(CONTROL, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
