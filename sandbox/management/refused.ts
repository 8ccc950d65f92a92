// An order to the sandbox that cannot be carried out, with the HTTP status that says so.

export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
