// A setup in words: where it stands, what to do in Okta at its step, and how the prerequisites look.
import type { Setup } from './setup-answers.ts';

export const guideLines = ({ guide }: Setup): string[] => [
  guide.title,
  `  ${guide.intro}`,
  ...(guide.warning === undefined ? [] : [`  ! ${guide.warning}`]),
  ...guide.tasks.flatMap(({ text, copy, link }) => [
    `  - ${text}`,
    ...(link === undefined ? [] : [`      ${link.url}`]),
    ...(copy === undefined
      ? []
      : [`      ${copy.label}:`, ...copy.value.split('\n').map((one) => `        ${one}`)]),
  ]),
  ...(guide.shownOnce.length === 0
    ? []
    : [
        '  Okta shows these only once; save them in a safe place:',
        ...guide.shownOnce.map((one) => `    ${one}`),
      ]),
];

const MARKS = { passed: '✓', failed: '✗', not_checked: '?' } as const;

export const checkLines = (checks: Setup['prerequisites']): string[] =>
  checks.flatMap(({ title, result, confirmed, detail, remedy }) => [
    `  ${confirmed ? '✓' : MARKS[result]} ${title}: ${detail}`,
    ...(result === 'passed' || confirmed ? [] : [`      ${remedy}`]),
  ]);

export function setupLines(setup: Setup): string[] {
  const { status, tenant, steps, amends, id } = setup;
  return [
    `Setup ${id}: ${amends ? 'changes of an integration, ' : ''}${status}${tenant ? ` (${tenant.host})` : ''}`,
    ...steps.map(({ title, answered, step }) =>
      step === setup.step && status === 'open' ? `  → ${title}` : `  ${answered ? '✓' : '·'} ${title}`,
    ),
    ...(status === 'open' ? ['', ...guideLines(setup)] : []),
    ...(setup.prerequisites.length === 0 ? [] : ['', 'Prerequisites:', ...checkLines(setup.prerequisites)]),
  ];
}
