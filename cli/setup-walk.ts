// Walks the wizard with the answers of a file: goes on where a setup stands, tells nothing twice, and says what is missing.
import { confirm, type CommandLine } from './command-line.ts';
import { ApiProblem } from '../api/contract/client.ts';
import { CliError, EXIT } from './exits.ts';
import type { OdetteClient } from './odette-client.ts';
import {
  answerOf,
  changedSteps,
  hostOf,
  toldBy,
  type Integration,
  type Setup,
  type Step,
  type StepAnswer,
} from './setup-answers.ts';
import type { OpenSetupFile } from './setup-file.ts';
import { checkLines, guideLines } from './setup-lines.ts';
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_MS = 500;
const CHECK_MS = 10 * 60_000;

export interface Walked {
  readonly integrationId: string;
  /** Undefined: everything was there already. */
  readonly setup: Setup | undefined;
}

export class SetupWalk {
  readonly #odette: OdetteClient;
  readonly #file: OpenSetupFile;
  readonly #line: CommandLine;

  constructor(odette: OdetteClient, file: OpenSetupFile, line: CommandLine) {
    this.#odette = odette;
    this.#file = file;
    this.#line = line;
  }

  /** @param again steps to answer anew although they are answered: secrets that changed */
  async apply(again: readonly Step[]): Promise<Walked> {
    const begun = await this.#begin(again);
    if ('done' in begun) return { integrationId: begun.done.id, setup: undefined };
    const setup = await this.#walk(begun.setup, begun.anew);
    if (setup.integrationId === undefined)
      throw new CliError(EXIT.failed, `The setup ended as ${setup.status}.`);
    return { integrationId: setup.integrationId, setup };
  }

  /** The open setup of this tenant, else its integration, else a new setup; with what is to be answered anew. */
  async #begin(again: readonly Step[]): Promise<{ setup: Setup; anew: Step[] } | { done: Integration }> {
    const host = hostOf(await this.#file.valueOf(this.#file.content.domain, 'domain'));
    const isOurs = ({ answers, tenant }: Setup): boolean =>
      [answers.domain, tenant?.host, tenant?.customDomain].some(
        (one) => one !== undefined && hostOf(one) === host,
      );
    const { items } = await this.#odette.call('get /api/setups', { query: { status: 'open' } });
    const open =
      items.find(isOurs) ?? items.find(({ answers, amends }) => !amends && answers.domain === undefined);
    if (open) {
      const setup = await this.#settled(open);
      return { setup, anew: [...again, ...(await changedSteps(this.#file, setup.answers))] };
    }
    const integrations = (await this.#odette.call('get /api/integrations')).items;
    const known = integrations.find((one) => [one.host, one.customDomain].includes(host));
    if (!known) return { setup: await this.#odette.call('post /api/setups', { body: {} }), anew: [] };
    const changed = await changedSteps(this.#file, { ...toldBy(known), domain: host });
    const anew = [...again, ...changed];
    if (anew.length === 0) return { done: known };
    const setup = await this.#odette.call('post /api/setups', { body: { integrationId: known.id } });
    return { setup, anew };
  }

  async #walk(start: Setup, anew: readonly Step[]): Promise<Setup> {
    const left = new Set(anew);
    let setup = start;
    while (setup.status === 'open') {
      const next = setup.steps.find(({ step, answered }) => !answered || left.has(step));
      const step: Step = next?.step ?? 'complete';
      const answer = await this.#answer(setup, step);
      const before = setup;
      setup = await this.#give(setup, answer);
      left.delete(step);
      const title = before.steps.find((one) => one.step === step)?.title ?? step;
      this.#line.terminal.tell(`✓ ${title}`);
    }
    return setup;
  }

  /** @throws CliError the file does not say it, or names a place where it is not yet: with what to do in Okta */
  async #answer(setup: Setup, step: Step): Promise<StepAnswer> {
    try {
      for (const later of fetchedAt(step)) {
        const known = await answerOf(this.#file, later, {});
        if (!known && later === 'credentials')
          throw missingIn(setup, step, 'The file names no credentials yet.');
      }
      const answer = await answerOf(this.#file, step, setup.amends ? setup.answers : {});
      if (answer) return answer;
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode !== EXIT.unfinished) throw error;
      throw missingIn(setup, step, error.message);
    }
    throw missingIn(setup, step, 'The file has no answer for this step.');
  }

  async #give(setup: Setup, answer: StepAnswer): Promise<Setup> {
    const { id, step, answers } = setup;
    try {
      const given = await this.#odette.call('post /api/setups/{id}/answers', {
        params: { id },
        body: answer,
      });
      return 'status' in given ? given : await this.#settled(await this.#look(id));
    } catch (error) {
      const isKey = answers.credentialsKind === 'api_services_app';
      // A key that is not in Okta yet is refused like a wrong client ID.
      const isShown = step === 'okta_tasks' || step === 'credentials';
      if (error instanceof ApiProblem && answer.step === 'credentials' && isKey && isShown)
        for (const text of guideLines(setup)) this.#line.terminal.tell(text);
      if (!(error instanceof ApiProblem) || answer.step !== 'connect') throw error;
      if (error.problem.code !== 'setup.prerequisites_missing') throw error;
      return this.#confirm(await this.#look(id), answer.confirmed ?? []);
    }
  }

  /** What Odette cannot check is for the admin to say; what failed has to be fixed in Okta first. */
  async #confirm(setup: Setup, said: readonly string[]): Promise<Setup> {
    const { terminal } = this.#line;
    for (const line of checkLines(setup.prerequisites)) terminal.tell(line);
    const failed = setup.prerequisites.filter(({ result }) => result === 'failed');
    if (failed.length > 0)
      throw new CliError(
        EXIT.unfinished,
        `Missing in Okta: ${failed.map(({ title }) => title).join(', ')}.`,
        'Fix this in Okta, then run the same command again: it continues from here.',
      );
    const open = setup.prerequisites.filter(
      ({ id, result, canBeConfirmed }) => result === 'not_checked' && canBeConfirmed && !said.includes(id),
    );
    const ids = open.map(({ id }) => id);
    if (open.length === 0)
      throw new CliError(
        EXIT.notReady,
        'Odette could not check a prerequisite.',
        'Run the same command again later.',
      );
    if (!terminal.isInteractive)
      throw new CliError(
        EXIT.unfinished,
        `Odette cannot check this: ${open.map(({ title }) => title).join(', ')}.`,
        `If it is met, write confirm: [${[...said, ...ids].join(', ')}] into the file and run the same command again.`,
      );
    for (const { title, remedy } of open) await confirm(terminal, `${title}: ${remedy} Is it met?`);
    return this.#odette.call('post /api/setups/{id}/answers', {
      params: { id: setup.id },
      body: { step: 'connect', confirmed: [...this.#file.content.confirm, ...ids] },
    }) as Promise<Setup>;
  }

  #look(id: string): Promise<Setup> {
    return this.#odette.call('get /api/setups/{id}', { params: { id } });
  }

  /** A check that somebody else began ends first. */
  async #settled(setup: Setup): Promise<Setup> {
    const deadline = Date.now() + CHECK_MS;
    let seen = setup;
    while (seen.checking && Date.now() < deadline) {
      await pause(LOOK_MS);
      seen = await this.#look(setup.id);
    }
    return seen;
  }
}

/** Steps that send their admin to Okta for what a later one asks: the walk stays there until it was fetched. */
function fetchedAt(step: Step): readonly Step[] {
  if (step === 'platforms') return ['macos', 'ios'];
  return step === 'okta_tasks' ? ['credentials'] : [];
}

function missingIn(setup: Setup, step: Step, reason: string): CliError {
  const guide = setup.step === step ? ['', ...guideLines(setup), ''] : [];
  return new CliError(
    EXIT.unfinished,
    [`The setup waits at “${step}”. ${reason}`, ...guide].join('\n'),
    'Add it and run the same command again: it continues from here.',
  );
}
