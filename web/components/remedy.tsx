// What to do next, in the catalogue's words: its `commands` as code, its ways through a menu (A > B) with arrows.
import { Code } from '@mantine/core';

export function Remedy({ text }: { text: string | null }) {
  return text
    ?.replaceAll(' > ', ' › ')
    .split('`')
    .map((part, index) => (index % 2 === 0 ? part : <Code key={index}>{part}</Code>));
}
