// The page of all errors, made from the catalogue.
import { FAILURES, type CatalogueEntry } from '../domain/failures.ts';

export function errorsPage(): string {
  const rows = Object.entries<CatalogueEntry>(FAILURES).map(
    ([code, { title, todo, isRetried, whoActs }]) =>
      `| \`${code}\` | ${title} | ${isRetried ? 'yes' : 'no'} | ${whoActs} | ${todo.replaceAll('|', '\\|')} |`,
  );
  return [
    '# Errors',
    '',
    'Generated from `domain/failures.ts`. The code stands in problem documents, in the timeline of a device and in Temporal.',
    '',
    '| code | what happened | tried again by itself | who acts | what to do |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
