// Types of download.mjs for its test.

interface Way {
  readonly folder: string;
  readonly version: string;
  run(command: string, argumentList: readonly string[], options: object): Promise<string>;
}
export const downloadOfTheSdk: { get(way: Way): Promise<string> };
