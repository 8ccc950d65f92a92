// A device's "no" with Apple's error chain: outer causes first, the deepest last.

export interface ErrorLink {
  readonly ErrorCode: number;
  readonly ErrorDomain: string;
  readonly LocalizedDescription: string;
  readonly USEnglishDescription: string;
}

export const link = (domain: string, code: number, text: string): ErrorLink => ({
  ErrorCode: code,
  ErrorDomain: domain,
  LocalizedDescription: text,
  USEnglishDescription: text,
});

/** Thrown while a command is carried out; becomes its response with Status Error. */
export class Refusal extends Error {
  readonly chain: readonly ErrorLink[];
  /** Further keys of the response, e.g. RejectionReason. */
  readonly reply: Readonly<Record<string, string>>;

  constructor(chain: readonly ErrorLink[], reply: Readonly<Record<string, string>> = {}) {
    super(chain.map((one) => `${one.ErrorDomain} ${one.ErrorCode}`).join(' < '));
    this.chain = chain;
    this.reply = reply;
  }
}

export const profileRefused = (name: string, ...causes: readonly ErrorLink[]): Refusal =>
  new Refusal([
    link('MCProfileErrorDomain', 1009, `The profile “${name}” could not be installed.`),
    ...causes,
  ]);

export const mdmRefused = (code: number, text: string, reply?: Readonly<Record<string, string>>): Refusal =>
  new Refusal([link('MCMDMErrorDomain', code, text)], reply);
