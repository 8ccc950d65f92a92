// Addresses of Odette's own beside the Temporal UI: the list of workflows with the columns that say most, and the way back to a device.
import { randomBytes } from 'node:crypto';
import { Router, type Response } from 'express';
import { searchAttributes } from '../workflows/messages.ts';
import { ProblemError } from './http/problem.ts';

/** Where the UI keeps the columns of its list, by namespace (temporalio/ui, src/lib/stores/configurable-table-columns.ts). */
const STORED_COLUMNS = 'namespace-workflow-table-columns';
const COLUMNS = [
  'Status',
  'Workflow ID',
  searchAttributes.rolloutPhase.name,
  searchAttributes.failureKind.name,
  searchAttributes.certificateNotAfter.name,
  'Start',
  'End',
];
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function temporalUiLinks({
  namespace,
  consoleUrl,
}: {
  readonly namespace: string;
  readonly consoleUrl: string;
}): Router {
  const router = Router();
  router.get('/odette/workflows', (_request, response) => {
    showColumns(response, namespace, `/namespaces/${encodeURIComponent(namespace)}/workflows`);
  });
  // A workflow's details link here: a workflow knows its device, and not where the console is.
  router.get('/odette/devices/:id', (request, response) => {
    if (!UUID.test(request.params.id)) throw new ProblemError('request.not_found');
    response.redirect(303, `${consoleUrl}/devices/${request.params.id}`);
  });
  return router;
}

/** Sets the columns in the browser, which is where the UI keeps them, and opens the list. Other namespaces keep theirs. */
function showColumns(response: Response, namespace: string, list: string): void {
  const nonce = randomBytes(16).toString('base64url');
  const columns = COLUMNS.map((label) => ({ label }));
  const script = `
    const stored = JSON.parse(localStorage.getItem(${inScript(STORED_COLUMNS)}) ?? '{}') ?? {};
    stored[${inScript(namespace)}] = ${inScript(columns)};
    localStorage.setItem(${inScript(STORED_COLUMNS)}, JSON.stringify(stored));
    location.replace(${inScript(list)});`;
  response
    .set('Content-Security-Policy', `default-src 'none'; script-src 'nonce-${nonce}'`)
    .type('html')
    .send(
      `<!doctype html><html lang="en"><title>Workflows</title><p><a href="${list}">Workflows</a></p><script nonce="${nonce}">${script}</script></html>`,
    );
}

/** JSON that cannot end the script that holds it. */
const inScript = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');
