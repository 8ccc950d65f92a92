// A problem in the catalogue's words: what happened and what to do; never a stack.
import { Alert, List, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { ApiProblem } from '../client.ts';
import { Remedy } from './remedy.tsx';

export function ProblemAlert({
  error,
  exceptFields = [],
}: {
  error: unknown;
  exceptFields?: readonly string[];
}) {
  if (error === null || error === undefined) return null;
  if (!(error instanceof ApiProblem))
    return (
      <Alert color="red" role="alert" title="Something went wrong on this page.">
        Reload the page. Your saved changes are safe.
      </Alert>
    );
  const { title, detail, remedy, errors = [], requestId, code } = error.problem;
  const unnamed = errors.filter(({ field, reason }) => !exceptFields.includes(field) && reason !== title);
  return (
    <Alert color="red" role="alert" title={title}>
      {detail !== undefined && detail !== title && <Text size="sm">{detail}</Text>}
      {unnamed.length > 0 && (
        <List size="sm">
          {unnamed.map(({ field, reason }) => (
            <List.Item key={`${field} ${reason}`}>
              {field}: {reason}
            </List.Item>
          ))}
        </List>
      )}
      <Text size="sm" mt={4}>
        <b>Remedy:</b> <Remedy text={remedy} />
      </Text>
      {code === 'server.failed' && requestId !== '' && <Text size="xs">Request {requestId}</Text>}
    </Alert>
  );
}

export const failureCodeOf = (error: unknown): string | undefined =>
  error instanceof ApiProblem ? error.problem.code : undefined;

/** The reason that a problem gives for one field, to be shown at it. */
export const fieldError = (error: unknown, field: string): string | undefined =>
  error instanceof ApiProblem
    ? error.problem.errors?.find((one) => one.field === field || one.field.endsWith(`.${field}`))?.reason
    : undefined;

/** Every part of the problem is told at one of these fields, with its remedy: nothing is left to say elsewhere. */
export const isAtFields = (error: unknown, fields: readonly string[]): boolean =>
  error instanceof ApiProblem &&
  (error.problem.errors ?? []).length > 0 &&
  (error.problem.errors ?? []).every(({ field }) => fields.includes(field));

/** The reason at one field and what to do about it. */
export function fieldProblem(error: unknown, field: string): ReactNode {
  const reason = fieldError(error, field);
  if (reason === undefined || !(error instanceof ApiProblem)) return undefined;
  const { code, remedy } = error.problem;
  // What a form lacks is said by the reason alone.
  if (code === 'request.invalid') return reason;
  return (
    <>
      {reason} <Remedy text={remedy} />
    </>
  );
}
