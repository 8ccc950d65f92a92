// The page of all errors, made from the catalogue.
import { FAILURES, type CatalogueEntry } from '../domain/failures.ts';

export function errorsPage(): string {
  const rows = Object.entries<CatalogueEntry>(FAILURES).map(
    ([code, { title, remedy, isRetried, owner }]) =>
      `| \`${code}\` | ${title} | ${isRetried ? 'yes' : 'no'} | ${owner} | ${remedy.replaceAll('|', '\\|')} |`,
  );
  return [
    '# Errors',
    '',
    'Generated from `domain/failures.ts`. Problem documents, device timelines and Temporal show the code.',
    '',
    '| code | title | tried again by itself | who acts | what to do |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
