// A device as the management port shows it: everything there is to assert about it, except private keys.
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import { configurationOf } from '../devices/apps.ts';
import type { DeviceState } from '../devices/device-state.ts';
import { certificateOf } from '../devices/keychain.ts';
import { readSetup } from '../devices/okta-verify.ts';
import { contentOf, payloadsIn, textOf } from '../devices/profiles.ts';

/** What a list of devices shows. */
export function summaryOf(state: DeviceState): object {
  const last = state.oktaVerify.signIns.at(-1);
  return {
    name: state.name,
    family: state.family,
    serialNumber: state.hardware.serialNumber,
    udid: state.hardware.udid,
    user: state.user,
    power: state.power,
    isEnrolled: state.enrollment !== undefined,
    mdmServer: state.enrollment ? new URL(state.enrollment.serverUrl).origin : null,
    profiles: state.profiles.filter((profile) => profile.isManaged).length,
    certificates: otherCertificates(state).length,
    oktaVerify: state.apps.find((app) => app.bundleId === OKTA_VERIFY.bundleId)?.status ?? null,
    lastSignIn: last ?? null,
    knobs: state.knobs,
  };
}

const otherCertificates = (state: DeviceState): DeviceState['keychain'] =>
  state.keychain.filter((item) => item.privateKey !== undefined && item.id !== state.enrollment?.identity);

export function viewOf(state: DeviceState): object {
  const { keychain, profiles, apps, oktaVerify, unsent, ...plain } = state;
  const { managementHint, ...setup } = readSetup(state);
  return {
    ...plain,
    isEnrolled: state.enrollment !== undefined,
    unsentResponse: unsent?.requestType ?? null,
    keychain: keychain.map((item) => {
      const certificate = certificateOf(item);
      return {
        profile: item.profile,
        scope: item.scope ?? 'System',
        isMdmIdentity: item.id === state.enrollment?.identity,
        hasPrivateKey: item.privateKey !== undefined,
        isExtractable: item.isExtractable,
        isUsableByAll: item.isUsableByAll,
        serialNumber: certificate.serialNumber,
        subject: certificate.subject,
        commonName: certificate.commonName,
        organizationalUnits: certificate.organizationalUnits,
        issuer: certificate.issuer,
        notBefore: certificate.notBefore,
        notAfter: certificate.notAfter,
      };
    }),
    profiles: profiles.map((profile) => {
      const content = contentOf(profile);
      return {
        identifier: profile.identifier,
        uuid: profile.uuid,
        displayName: textOf(content, 'PayloadDisplayName'),
        isManaged: profile.isManaged,
        scope: profile.scope ?? 'System',
        installedAt: profile.installedAt,
        payloads: payloadsIn(content).map(plain64),
      };
    }),
    apps: apps.map((app) => ({ ...app, configuration: configurationOf(app) ?? null })),
    oktaVerify: { ...oktaVerify, ...setup, hasManagementHint: managementHint !== undefined },
  };
}

/** Data as base64, so that a payload can be shown as JSON. */
const plain64 = (payload: PlistDict): unknown =>
  JSON.parse(
    JSON.stringify(payload, (_key, value: unknown) =>
      isBufferJson(value) ? Buffer.from(value.data).toString('base64') : value,
    ),
  );

const isBufferJson = (value: unknown): value is { type: 'Buffer'; data: number[] } =>
  typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'Buffer';
