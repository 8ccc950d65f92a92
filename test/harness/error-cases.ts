// Each row of the table of device errors as a device reports it, one case for each of its codes.
import {
  DEVICE_ERRORS,
  REJECTION_REASONS,
  type DeviceErrorChain,
  type DeviceErrorRow,
} from '../../domain/device-error-classes.ts';

export interface DeviceError {
  readonly requestType: string;
  readonly errorChain: DeviceErrorChain;
  readonly rejectionReason?: string;
}

/** Of the rows that a pattern describes. */
const WORDS: readonly [RegExp, string, number, string][] = [
  [/licen/, 'ASDErrorDomain', 1, 'License not found'],
  [/^\/SCEP/, 'MDM-SCEP', 15_002, 'SCEP server returned an invalid response'],
  [/./, 'SPErrorDomain', 15_002, 'The response from the SCEP server is invalid.'],
];
/** Domains of which every code counts. */
const CODES: Readonly<Record<string, readonly number[]>> = {
  NSURLErrorDomain: [-1001, -1003, -1005, -1009, -1200],
  MCSCEPErrorDomain: [22_000, 22_013],
  MCSSOErrorDomain: [34_000],
  MCPayloadErrorDomain: [2002],
};

export interface ErrorCase extends DeviceError {
  readonly name: string;
  readonly row: Pick<DeviceErrorRow, 'class' | 'failure'>;
}

/** As Apple's clients wrap a cause: "Profile Installation Failed", "Could not validate app manifest". */
const WRAPPERS: Readonly<Record<string, DeviceErrorChain[number]>> = {
  InstallProfile: { code: 4001, domain: 'MCInstallationErrorDomain', description: '' },
  InstallApplication: { code: 12_024, domain: 'MCMDMErrorDomain', description: '' },
};
/** Of a row for every command. */
const REQUEST_TYPES = ['InstallProfile', 'InstallApplication'];

function causesOf(row: DeviceErrorRow): DeviceErrorChain {
  if (typeof row.domain !== 'string') {
    const pattern = String(row.description ?? row.domain);
    const [, domain, code, description] = WORDS.find(([fits]) => fits.test(pattern)) ?? ([] as never);
    return [{ domain, code, description }];
  }
  const { domain } = row;
  const codes =
    row.codes?.flatMap((code) => (typeof code === 'number' ? [code] : code)) ?? CODES[domain] ?? [];
  return codes.map((code) => ({ domain, code, description: '' }));
}

export const ERROR_CASES: readonly ErrorCase[] = [
  ...DEVICE_ERRORS.flatMap((row) =>
    (row.requestTypes ?? REQUEST_TYPES).flatMap((requestType) =>
      causesOf(row).map((cause) => ({
        name: `${requestType}: ${cause.domain} ${cause.code}`,
        row,
        requestType,
        errorChain: [...[WRAPPERS[requestType] ?? []].flat(), cause],
      })),
    ),
  ),
  ...Object.entries(REJECTION_REASONS).map(([rejectionReason, row]) => ({
    name: `InstallApplication: RejectionReason ${rejectionReason}`,
    row,
    requestType: 'InstallApplication',
    rejectionReason,
    errorChain: [],
  })),
  {
    name: 'InstallProfile: an error that no row knows',
    row: { class: 'unknown', failure: 'mdm.device_error_unknown' },
    requestType: 'InstallProfile',
    errorChain: [{ domain: 'OddErrorDomain', code: 4711, description: '' }],
  },
];

/** The order by which a device of the sandbox reports it so many times. */
export const breakOf = ({ requestType, errorChain, rejectionReason }: DeviceError, times: number) => ({
  requestType,
  times,
  errorChain: errorChain.map(({ code, domain, description }) => ({
    ErrorCode: code,
    ErrorDomain: domain,
    LocalizedDescription: description,
    USEnglishDescription: description,
  })),
  ...(rejectionReason !== undefined && { rejectionReason }),
});
