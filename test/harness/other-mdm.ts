// Other tools that managed the devices of a NanoMDM server: each gives them an Okta certificate, Okta's SSO extension and settings of Okta Verify.
import { randomUUID } from 'node:crypto';
import { fetchChallenge } from '../../adapters/okta/challenge.ts';
import { buildCommand, type CommandSpec } from '../../adapters/mdm/command.ts';
import { oktaVerifySettings } from '../../adapters/mdm/payloads/okta-verify-settings.ts';
import { ssoExtension } from '../../adapters/mdm/payloads/sso-extension.ts';
import type { Payload } from '../../adapters/mdm/payloads/profile.ts';
import type { NanoMdmWorld } from './nanomdm-world.ts';
import { payload, profileOf } from './small-mdm-server.ts';

interface Platform {
  readonly scepUrl: string;
  readonly challenge: Parameters<typeof fetchChallenge>[0];
}

interface Mac {
  readonly udid: string;
  readonly serialNumber: string;
}

const plain = ({ type, content }: Payload) => payload(type, content);

/** Products that give Macs Okta's certificate, as the doctor calls them. */
export const VENDORS = ['Iru (Kandji)', 'Jamf Pro', 'Fleet'] as const;
export type Vendor = (typeof VENDORS)[number];

/**
 * As each names what an admin made there. One profile brings certificate and SSO extension, so that they can only go together. Jamf Pro
 * calls it by a UUID, and its other one says whose it is; Fleet puts its mark into the certificate.
 */
const PROFILES: Readonly<Record<Vendor, { readonly trust: string; readonly settings: string }>> = {
  'Iru (Kandji)': {
    trust: `com.kandji.profile.custom.${randomUUID()}`,
    settings: `com.kandji.profile.custom.${randomUUID()}`,
  },
  'Jamf Pro': { trust: randomUUID().toUpperCase(), settings: 'com.jamfsoftware.okta-verify' },
  Fleet: { trust: 'com.fleetdm.okta-device-trust', settings: 'com.fleetdm.okta-verify' },
};
const FLEET_MARK = `fleet-a${randomUUID()}`;

export class OtherMdm {
  readonly #beside: NanoMdmWorld;
  readonly #platform: Platform;
  /** Okta's, with its port. */
  readonly #host: string;

  private constructor(beside: NanoMdmWorld, host: string, platform: Platform) {
    this.#beside = beside;
    this.#host = host;
    this.#platform = platform;
  }

  /** With a macOS platform of its own in Okta. */
  static async start(beside: NanoMdmWorld): Promise<OtherMdm> {
    const { world, trusted } = beside;
    const { scepUrl, challengeUrl, username, password } = await world.manage<
      Record<'scepUrl' | 'challengeUrl' | 'username' | 'password', string>
    >('POST', '/tenants/one/platforms/macos', {});
    const host = await trusted.stage.sandbox.tenantHost('one');
    const challenge = { url: challengeUrl, username, password, allowedPrivateHosts: [new URL(scepUrl).host] };
    return new OtherMdm(beside, host, { scepUrl, challenge });
  }

  async give(mac: Mac, vendor: Vendor): Promise<void> {
    const { trust, settings } = PROFILES[vendor];
    const mark = vendor === 'Fleet' ? [[['OU', FLEET_MARK]]] : [];
    const scep = payload('com.apple.security.scep', {
      PayloadContent: {
        URL: this.#platform.scepUrl,
        Challenge: await fetchChallenge(this.#platform.challenge),
        Subject: [[['CN', `${mac.serialNumber} managementAttestation ${mac.udid}`]], ...mark],
        'Key Type': 'RSA',
        'Key Usage': 1,
        Keysize: 2048,
        AllowAllAppsAccess: true,
      },
    });
    const orgUrl = `https://${this.#host}`;
    const sso = plain(ssoExtension({ platform: 'macOS', hosts: [new URL(orgUrl).hostname] }));
    const verify = oktaVerifySettings({
      orgUrl,
      enrollmentOptions: 'SilentEnrollmentEnabled',
      launchOptions: 'HideMainWindow',
    });
    await this.#install(mac, 'Okta Device Trust', trust, [scep, sso]);
    await this.#install(mac, 'Okta Verify', settings, verify.map(plain));
  }

  async takeAway(mac: Pick<Mac, 'udid'>, vendor: Vendor): Promise<void> {
    for (const identifier of Object.values(PROFILES[vendor]))
      await this.#send(mac, { requestType: 'RemoveProfile', identifier });
  }

  /** Whether a profile is of one of the tools. */
  names(identifier: string): boolean {
    return Object.values(PROFILES).some(({ trust, settings }) => [trust, settings].includes(identifier));
  }

  #install(mac: Mac, name: string, identifier: string, payloads: Parameters<typeof profileOf>[1]) {
    const profile = profileOf(name, payloads, { PayloadIdentifier: identifier });
    return this.#send(mac, { requestType: 'InstallProfile', payload: this.#beside.front.sign(profile) });
  }

  async #send({ udid }: Pick<Mac, 'udid'>, command: CommandSpec): Promise<void> {
    const { status } = await this.#beside.nano.call(
      'PUT',
      `/v1/enqueue/${udid}`,
      buildCommand(randomUUID().toUpperCase(), command),
    );
    if (status !== 200) throw new Error(`NanoMDM responded ${status} to ${command.requestType}`);
  }
}
