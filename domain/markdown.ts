// Text of devices and people inside Markdown, which the Temporal UI renders: it stays text and makes no link, image or markup.

/**
 * On one line. What CommonMark and GitHub's autolinks (bare `https://…`, `www.…`, `a@b`) take for markup gets a backslash, nothing else: it
 * is read as it is on the command line.
 */
export const markdownText = (text: string): string =>
  text
    .replace(/\s+/gu, ' ')
    .trim()
    .replace(/[\\`*_{}[\]<>#|~&@!]|:(?=\/\/)|(?<=www)\./giu, '\\$&')
    // A list or a heading, where the text begins a line.
    .replace(/^(\d+)(?=[.)])/u, '$1\\')
    .replace(/^[-+=]/u, '\\$&');
