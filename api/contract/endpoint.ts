// What an endpoint of the API is: method, path, who may call it, what goes in, what comes out, which problems it names.
// The contract is the single source for the server's checks, the OpenAPI document, and the types of console and command line.
import type { z } from 'zod';
import type { FailureCode } from '../../domain/failures.ts';
import type { Role } from '../../domain/sign-in-roles.ts';

/** `public`: nobody needs to sign in. */
export type Access = 'public' | Role;

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type ResponseType = 'text/plain' | 'text/csv' | 'text/event-stream' | 'application/xml' | 'image/png';

export interface Endpoint {
  readonly tag: string;
  readonly summary: string;
  readonly method: Method;
  /** Parameters in braces: /api/devices/{id} */
  readonly path: `/${string}`;
  readonly access: Access;
  readonly params?: z.ZodObject;
  /** Strict, as every object of a body: a misspelled filter or restriction is refused, and never acts on more than was meant. */
  readonly query?: z.ZodObject<z.core.$ZodLooseShape, z.core.$strict>;
  readonly body?: z.ZodType;
  readonly status: 200 | 201 | 202 | 204;
  readonly response?: z.ZodType;
  /** The other success: accepted and still running; `Location` says where to ask. */
  readonly later?: z.ZodType;
  /** A response that is not JSON: the handler writes it itself. */
  readonly responseType?: ResponseType;
  /** Problems a caller should expect beside those of every endpoint. */
  readonly problems?: readonly FailureCode[];
  /** The response carries `ETag`; a change takes `If-Match`. */
  readonly versioned?: true;
  /** The response shows a secret this once: it is saved sealed for a repeated request with the same Idempotency-Key. */
  readonly showsSecret?: true;
  /** Open to a person who must set up a second factor and has not yet. */
  readonly beforeSecondFactor?: true;
  /** The handler looks after transaction and idempotency itself (the wizard's answers go to a workflow, a sign-in hashes). */
  readonly ownTransaction?: true;
}

export const endpoint = <const Shape extends Endpoint>(shape: Shape): Shape => shape;

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;
type Given<Schema> = Schema extends z.ZodType ? z.input<Schema> : undefined;
type Part<Shape extends Endpoint, Name extends keyof Endpoint> = Name extends keyof Shape
  ? Exclude<Shape[Name], undefined>
  : undefined;

/** As the client writes it. */
export type ParamsOf<Shape extends Endpoint> = Given<Part<Shape, 'params'>>;
export type QueryOf<Shape extends Endpoint> = Given<Part<Shape, 'query'>>;
export type BodyOf<Shape extends Endpoint> = Given<Part<Shape, 'body'>>;
/** As the client reads it. */
export type ResponseOf<Shape extends Endpoint> =
  | Parsed<Part<Shape, 'response'>>
  | (Part<Shape, 'later'> extends z.ZodType ? Parsed<Part<Shape, 'later'>> : never);

/** As the server reads it, after the checks. */
export type ReadParams<Shape extends Endpoint> = Parsed<Part<Shape, 'params'>>;
export type ReadQuery<Shape extends Endpoint> = Parsed<Part<Shape, 'query'>>;
export type ReadBody<Shape extends Endpoint> = Parsed<Part<Shape, 'body'>>;
/** As the server writes it, before the checks. */
export type WrittenResponse<Shape extends Endpoint> = Given<Part<Shape, 'response'>>;
export type WrittenLater<Shape extends Endpoint> =
  Part<Shape, 'later'> extends z.ZodType ? Given<Part<Shape, 'later'>> : never;
