// `odette completion`: a script with which a shell completes commands, options and their choices, made from the commands themselves.
import { Argument, type Command, type Option } from 'commander';
import type { CommandLine } from './command-line.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export function addCompletion(program: Command, line: CommandLine): void {
  program
    .command('completion')
    .description('prints a shell completion script')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
bash: odette completion bash > ~/.local/share/bash-completion/completions/odette
zsh:  odette completion zsh > a file _odette in a folder of your fpath
fish: odette completion fish > ~/.config/fish/completions/odette.fish`,
    )
    .action((shell: Shell) => {
      line.terminal.print(SCRIPTS[shell](entriesOf(program)));
    });
}

/** What may follow the words of one command. */
interface Entry {
  /** Without `odette`, joined by a space; empty: the program itself. */
  readonly path: string;
  readonly words: readonly Word[];
}
interface Word {
  readonly word: string;
  readonly help: string;
  /** Of an option: what may stand behind it; empty: anything, as a name or a file. undefined: nothing does. */
  readonly values?: readonly string[];
}

function entriesOf(command: Command, path: readonly string[] = []): Entry[] {
  const subcommands = command.commands.filter((each) => each.name() !== 'help');
  const options: Word[] = command.options.flatMap((option: Option) =>
    option.long === undefined || option.hidden
      ? []
      : [
          {
            word: option.long,
            help: option.description,
            ...((option.required || option.optional) && { values: option.argChoices ?? [] }),
          },
        ],
  );
  const choices = command.registeredArguments.flatMap(({ argChoices, description }) =>
    (argChoices ?? []).map((word) => ({ word, help: description })),
  );
  const words = [
    ...subcommands.map((each) => ({ word: each.name(), help: each.description() })),
    ...choices,
    ...options,
    { word: '--help', help: 'print help' },
  ];
  return [
    { path: path.join(' '), words },
    ...subcommands.flatMap((each) => entriesOf(each, [...path, each.name()])),
  ];
}

const SCRIPTS: Readonly<Record<Shell, (entries: readonly Entry[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** As a POSIX shell and fish read it. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
/** fish alone reads a backslash inside of single quotes. */
const quotedForFish = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;
const firstSentence = (text: string): string => text.split(/[.;:]\s/)[0] ?? text;

/** Which command the line has come to: the longest that its words name; options, and what stands behind them, are passed over. */
const walk = (entries: readonly Entry[]): string => {
  const paths = entries.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  const valued = new Set(
    entries.flatMap(({ words }) =>
      words.filter(({ values }) => values !== undefined).map(({ word }) => word),
    ),
  );
  return `  local at='' before='' word
  for word in "\${given[@]}"; do
    case "$before" in ${[...valued].join('|')}) before=''; continue ;; esac
    before="$word"
    case "\${at:+$at }$word" in
      ${paths.join(' | ')}) at="\${at:+$at }$word" ;;
    esac
  done`;
};

/** The values of an option by command, else nothing. */
const valueCases = (entries: readonly Entry[]): string[] =>
  entries.flatMap(({ path, words }) =>
    words.flatMap(({ word, values = [] }) =>
      values.length === 0 ? [] : [`    ${quoted(`${path} ${word}`)}) words=${quoted(values.join(' '))} ;;`],
    ),
  );
const freeCases = (entries: readonly Entry[]): string =>
  entries
    .flatMap(({ path, words }) =>
      words.filter(({ values }) => values?.length === 0).map(({ word }) => quoted(`${path} ${word}`)),
    )
    .join(' | ');

function bashScript(entries: readonly Entry[]): string {
  return `# Completion of odette for bash.
_odette() {
  local current="\${COMP_WORDS[COMP_CWORD]}" last="\${COMP_WORDS[COMP_CWORD-1]}" words=''
  local given=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${walk(entries)}
  case "$at $last" in
${valueCases(entries).join('\n')}
    ${freeCases(entries)}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    *) case "$at" in
${entries.map(({ path, words }) => `      ${quoted(path)}) words=${quoted(words.map(({ word }) => word).join(' '))} ;;`).join('\n')}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _odette odette`;
}

function zshScript(entries: readonly Entry[]): string {
  const described = (words: readonly Word[]) =>
    words.map(({ word, help }) => quoted(`${word.replaceAll(':', '\\:')}:${firstSentence(help)}`)).join(' ');
  return `#compdef odette
# Completion of odette for zsh.
_odette() {
  local last="\${words[CURRENT-1]}"
  local -a given shown
  given=("\${(@)words[2,CURRENT-1]}")
${walk(entries)}
  case "$at $last" in
${valueCases(entries)
  .map((line) => line.replace(/words='([^']*)'/, 'shown=($1)'))
  .join('\n')}
    ${freeCases(entries)}) _files; return ;;
    *) case "$at" in
${entries.map(({ path, words }) => `      ${quoted(path)}) shown=(${described(words)}) ;;`).join('\n')}
    esac ;;
  esac
  _describe 'odette' shown
}
if [ "$funcstack[1]" = _odette ]; then _odette "$@"; else compdef _odette odette; fi`;
}

function fishScript(entries: readonly Entry[]): string {
  const lines = entries.flatMap(({ path, words }) =>
    words.map(({ word, help, values }) => {
      const name = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`;
      const behind =
        values === undefined
          ? ''
          : values.length === 0
            ? ' -r -F'
            : ` -x -a ${quotedForFish(values.join(' '))}`;
      return `complete -c odette -n ${quotedForFish(`__odette_at ${quotedForFish(path)}`)} ${name}${behind} -d ${quotedForFish(firstSentence(help))}`;
    }),
  );
  const paths = entries.filter(({ path }) => path !== '').map(({ path }) => quotedForFish(path));
  return `# Completion of odette for fish.
function __odette_at
  set -l at
  for word in (commandline -opc)[2..]
    set -l longer (string join -- ' ' $at $word)
    contains -- "$longer" ${paths.join(' ')}; and set at $longer
  end
  test "$at" = "$argv[1]"
end
complete -c odette -f
${lines.join('\n')}`;
}
