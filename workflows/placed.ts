// The place of a payload: what it was made for (a message's or a workflow's name, an activity's input or result). The client and the
// worker put it on, workers/codec.ts seals it with the payload, and the receiver compares it with where the payload came out.

/** In the global registry, because workers/payload-converter.mjs is bundled and loaded apart from this file. */
const PLACE = Symbol.for('odette.place');

interface Placed {
  readonly [PLACE]: string;
  readonly body: unknown;
}

export const placed = (place: string, body: unknown): Placed => ({ [PLACE]: place, body });

/** Of a workflow's input, a signal and an update the place is the name; those of activities are these. */
export const activityInput = (activityType: string): string => `activity/${activityType}`;
export const activityResult = (activityType: string): string => `result/${activityType}`;

/** What was sealed for this place; undefined: nothing was, or for another place. */
export function sealedFor(place: string, value: unknown): { readonly body: unknown } | undefined {
  return isPlaced(value) && value[PLACE] === place ? value : undefined;
}

/** The one argument that every message, workflow and activity has. */
export const onlySealedFor = (
  place: string,
  args: readonly unknown[],
): { readonly body: unknown } | undefined => (args.length === 1 ? sealedFor(place, args[0]) : undefined);

const isPlaced = (value: unknown): value is Placed =>
  typeof value === 'object' && value !== null && PLACE in value;
