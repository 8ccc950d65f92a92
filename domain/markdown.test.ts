import { describe, expect, test } from 'vitest';
import { markdownText } from './markdown.ts';

describe('text in Markdown', () => {
  test.each([
    ['a link', '[sign in](https://evil.example)', String.raw`\[sign in\](https\://evil.example)`],
    ['an image', '![x](https://evil.example/a.png)', String.raw`\!\[x\](https\://evil.example/a.png)`],
    [
      'an address that would become a link',
      'see https://evil.example',
      String.raw`see https\://evil.example`,
    ],
    ['a host that would become a link', 'WWW.evil.example', String.raw`WWW\.evil.example`],
    ['a mail address', 'help@evil.example', String.raw`help\@evil.example`],
    ['HTML', '<img src=x onerror=alert(1)>', String.raw`\<img src=x onerror=alert(1)\>`],
    ['emphasis and code', '*a* _b_ `c` ~~d~~', String.raw`\*a\* \_b\_ \`c\` \~\~d\~\~`],
    ['a heading on a line of its own', 'Mac\n\n# Trusted', String.raw`Mac \# Trusted`],
    ['a list at its beginning', '1. a', String.raw`1\. a`],
    ['a backslash before markup', String.raw`\[a](b)`, String.raw`\\\[a\](b)`],
  ])('%s stays text', (_name, said, shown) => expect(markdownText(said)).toBe(shown));

  test('a name as people give it is left as it is', () =>
    expect(markdownText("Mia's MacBook Pro (13-inch)")).toBe("Mia's MacBook Pro (13-inch)"));
});
