// Apple's error numbers for Apps and Books, with the HTTP status each usually comes with.

const ERRORS = {
  9601: [401, 'Login required'],
  9603: [500, 'Internal error'],
  9621: [401, 'The server token has expired'],
  9622: [401, 'Invalid authentication token'],
  9625: [401, 'The server token has been revoked'],
  9644: [503, 'Down for maintenance'],
  9646: [429, 'There are too many requests for the current Organization and the request has been rejected'],
  9700: [400, 'Invalid argument'],
  9702: [400, 'Too many serial numbers'],
  9705: [400, 'Duplicate serial numbers'],
  9707: [400, 'The asset is not device assignable'],
  9708: [400, 'Unknown event id'],
  9709: [400, 'There are not enough assets available'],
  9722: [401, 'Bad authorization header'],
  9729: [503, 'The service is temporarily unavailable'],
} as const satisfies Record<number, readonly [status: number, message: string]>;

export type LicenseErrorNumber = keyof typeof ERRORS;

export const describeError = (errorNumber: number): { status: number; errorMessage: string } => {
  const [status, errorMessage] = ERRORS[errorNumber as LicenseErrorNumber] ?? [500, 'Unknown error'];
  return { status, errorMessage };
};
