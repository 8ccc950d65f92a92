// `odette reissue`: where Odette stopped re-issuing certificates by itself, and the word that lets it go on.
import { Option, type Command } from 'commander';
import { jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { findIntegration, type Integration } from './integration-reference.ts';
import { moment } from './terminal.ts';

interface ResumeOptions extends JsonOption {
  readonly integration?: string;
  readonly platform?: 'macOS' | 'iOS';
}

export function addReissues(program: Command, line: CommandLine): void {
  const reissue = program
    .command('reissue')
    .description('automatic re-issues: new certificates when Okta no longer counts devices as managed');
  jsonCommand(
    reissue,
    'list',
    'shows where Odette halted re-issues because too many devices lost "managed" at once, and why',
  ).action(async (options: JsonOption) => {
    const { items } = await (await line.connect()).call('get /api/integrations');
    const halted = items.flatMap(({ host, haltedReissues }) =>
      haltedReissues.map((each) => ({ host, ...each })),
    );
    line.show(options, { items: halted }, () => (halted.length === 0 ? [NONE] : items.flatMap(haltedLines)));
  });
  jsonCommand(reissue, 'resume', 'resumes re-issues; devices that Odette held back get a new certificate')
    .option('--integration <name>', 'the Okta tenant: its name or host; needed if several are connected')
    .addOption(new Option('--platform <platform>', 'only this platform').choices(['macOS', 'iOS']))
    .action(async (options: ResumeOptions) => {
      const odette = await line.connect();
      const { id, haltedReissues } = await findIntegration(odette, options.integration);
      const chosen = haltedReissues.filter(
        ({ platform }) => options.platform === undefined || platform === options.platform,
      );
      let devices = 0;
      for (const { platform } of chosen)
        devices += (
          await odette.call('post /api/integrations/{id}/reissues/resume', {
            params: { id },
            body: { platform },
          })
        ).devices;
      line.show(options, { platforms: chosen.map(({ platform }) => platform), devices }, () => [
        chosen.length === 0
          ? NONE
          : `Automatic re-issues resumed. Odette requested ${plural(devices, 'new certificate')}.`,
      ]);
    });
}

const NONE = 'No re-issues are halted.';

const haltedLines = ({ host, haltedReissues }: Integration): string[] =>
  haltedReissues.flatMap(({ platform, text, likelyCauses, held, haltedAt }) => [
    `${host}, ${platform}, since ${moment(haltedAt)}: ${text}`,
    ...likelyCauses.map((cause) => `  - ${cause}`),
    `  ${plural(held, 'device')} waiting: odette reissue resume --integration ${host} --platform ${platform}`,
  ]);
