// What a workflow says of itself in the Temporal UI, which reads it as Markdown: the words of devices and people stay words.
import { setCurrentDetails } from '@temporalio/workflow';
import { markdownText } from '../domain/markdown.ts';

export interface ShownDevice {
  readonly id: string;
  /** What people call it; null or undefined: not known, as in a history that is older than this. */
  readonly name?: string | null | undefined;
}

/**
 * @param heading a word of Odette's own, e.g. a phase: bold before the first paragraph
 * @param device whose page in the console is linked, through the address that serves the Temporal UI (api/temporal-ui-links.ts)
 */
export function showDetails(paragraphs: readonly string[], heading?: string, device?: ShownDevice): void {
  const text = paragraphs.map(markdownText).join('\n\n');
  const said = heading === undefined ? text : `**${heading}** ${text}`;
  setCurrentDetails(device === undefined ? said : `${said}\n\n${linkTo(device)}`);
}

const linkTo = ({ id, name }: ShownDevice): string =>
  `${name ? `${markdownText(name)}: ` : ''}[open the device in Odette](/odette/devices/${encodeURIComponent(id)})`;
