// What is done on Okta's side of a step: the click path, what to copy where, and what Okta shows only once.
import { Alert, Anchor, List, Stack, Text } from '@mantine/core';
import { CopyValue } from '../components/copy-value.tsx';
import type { Setup } from './answers.ts';

export function StepGuide({ guide }: { guide: Setup['guide'] }) {
  const { intro, tasks, shownOnce, warning } = guide;
  return (
    <Stack gap="md">
      <Text>{intro}</Text>
      {shownOnce.length > 0 && (
        <Alert color="yellow" title="Okta shows this only once. Save it in a safe place.">
          <List size="sm">
            {shownOnce.map((text) => (
              <List.Item key={text}>{text}</List.Item>
            ))}
          </List>
        </Alert>
      )}
      {tasks.length > 0 && (
        <List type="ordered" spacing="sm">
          {tasks.map(({ text, copy, link }) => (
            <List.Item key={text}>
              <ClickPath text={text} />{' '}
              {link !== undefined && (
                <Anchor href={link.url} target="_blank" rel="noreferrer noopener">
                  {link.label}
                </Anchor>
              )}
              {copy && <CopyValue label={copy.label} value={copy.value} />}
            </List.Item>
          ))}
        </List>
      )}
      {warning !== undefined && <Alert color="orange">{warning}</Alert>}
    </Stack>
  );
}

/** `A > B > C` of Okta's pages, in bold where it is one. */
function ClickPath({ text }: { text: string }) {
  const sentences = text.split(/(?<=[.:]) /);
  return (
    <>
      {sentences.map((sentence, index) => (
        <span key={sentence}>
          {index > 0 ? ' ' : ''}
          {sentence.includes(' > ') ? <b>{sentence.replaceAll(' > ', ' › ')}</b> : sentence}
        </span>
      ))}
    </>
  );
}
