// What a workflow says of itself in the Temporal UI, which reads it as Markdown: the words of devices and people stay words.
import { setCurrentDetails } from '@temporalio/workflow';
import { markdownText } from '../domain/markdown.ts';

/** @param heading a word of Odette's own, e.g. a phase: bold before the first paragraph */
export function showDetails(paragraphs: readonly string[], heading?: string): void {
  setCurrentDetails(textOf(paragraphs, heading));
}

const textOf = (paragraphs: readonly string[], heading?: string): string => {
  const text = paragraphs.map(markdownText).join('\n\n');
  return heading === undefined ? text : `**${heading}** ${text}`;
};

/**
 * What the workflow of one device says: below all of it stands whose it is, for Temporal drops a workflow's summary when the workflow continues
 * as new, and the way to the device in the console (api/temporal-ui-links.ts).
 */
export class DeviceDetails {
  readonly #deviceId: string;
  /** What people call the device, as soon as a plan has said it. */
  name: string | null = null;

  constructor(deviceId: string) {
    this.#deviceId = deviceId;
  }

  show(paragraphs: readonly string[], heading?: string): void {
    const name = this.name ? `${markdownText(this.name)}: ` : '';
    const link = `${name}[open the device in Odette](/odette/devices/${encodeURIComponent(this.#deviceId)})`;
    setCurrentDetails(`${textOf(paragraphs, heading)}\n\n${link}`);
  }
}
