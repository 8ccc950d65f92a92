// What a workflow says of itself in the Temporal UI, which reads it as Markdown: the words of devices and people stay words.
import { setCurrentDetails } from '@temporalio/workflow';
import { markdownText } from '../domain/markdown.ts';

/** @param heading a word of Odette's own, e.g. a phase: bold before the first paragraph */
export function showDetails(paragraphs: readonly string[], heading?: string): void {
  const text = paragraphs.map(markdownText).join('\n\n');
  setCurrentDetails(heading === undefined ? text : `**${heading}** ${text}`);
}
