// The sandbox's management port as the play uses it: what an admin does in Okta's console, and what devices' owners do.
import type { SandboxAddresses } from '../sandbox.ts';

export interface PlayedDevice {
  readonly name: string;
  readonly family: 'Mac' | 'iPhone' | 'iPad';
  readonly serialNumber: string;
  readonly udid: string;
  readonly isEnrolled: boolean;
  readonly user: { readonly login: string; readonly signsIn: 'auto' | 'manual' };
}

interface MacPlatform {
  readonly scepUrl: string;
  readonly challengeUrl: string;
  readonly username: string;
  readonly password: string;
}

type KnownPlatform =
  | ({ readonly platform: 'macOS'; readonly id: string } & Omit<MacPlatform, 'password'>)
  | { readonly platform: 'iOS'; readonly id: string };

interface Overview {
  readonly host: string;
  readonly platforms: readonly KnownPlatform[];
}

export class SandboxApi {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url.replace(/\/$/, '');
  }

  addresses(): Promise<SandboxAddresses> {
    return this.#call('GET', '/addresses');
  }

  async devices(): Promise<readonly PlayedDevice[]> {
    return (await this.#call<{ devices: PlayedDevice[] }>('GET', '/devices')).devices;
  }

  async enroll(device: string, url: string, code: string): Promise<void> {
    await this.#call('POST', `/devices/${device}/enroll`, { url, code });
  }

  async tenantHost(tenant: string): Promise<string> {
    return (await this.#call<Overview>('GET', `/tenants/${tenant}`)).host;
  }

  /** "Install & Authorize"; client ID and secret, which Okta shows this once. */
  /** What Okta's page shows to copy; the sandbox says more. */
  async installIntegration(tenant: string): Promise<{ clientId: string; clientSecret: string }> {
    const { clientId, clientSecret } = await this.#call<{ clientId: string; clientSecret: string }>(
      'POST',
      `/tenants/${tenant}/api-service-integrations`,
      {},
    );
    return { clientId, clientSecret };
  }

  /** Adds macOS under Device integrations; if it is there already, its password is reset, for Okta shows it only once. */
  async addMacPlatform(tenant: string): Promise<MacPlatform> {
    const known = (await this.#platforms(tenant)).find((one) => one.platform === 'macOS');
    if (!known) return this.#call('POST', `/tenants/${tenant}/platforms/macos`, {});
    const path = `/tenants/${tenant}/platforms/macos/${known.id}/reset-password`;
    return { ...known, ...(await this.#call<{ password: string }>('POST', path, {})) };
  }

  async addIosPlatform(
    tenant: string,
    providerName: string,
    enrollmentLink: string,
  ): Promise<{ secretKey: string }> {
    const known = (await this.#platforms(tenant)).find((one) => one.platform === 'iOS');
    return known
      ? this.#call('POST', `/tenants/${tenant}/platforms/ios/${known.id}/reset-secret-key`, {})
      : this.#call('POST', `/tenants/${tenant}/platforms/ios`, { providerName, enrollmentLink });
  }

  async #platforms(tenant: string): Promise<readonly KnownPlatform[]> {
    return (await this.#call<Overview>('GET', `/tenants/${tenant}`)).platforms;
  }

  async #call<Result>(method: string, path: string, body?: object): Promise<Result> {
    const given = body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`${this.#url}${path}`, { method, ...given });
    const result = (await response.json()) as Result & { error?: string };
    if (!response.ok) throw new Error(`sandbox ${method} ${path}: ${result.error ?? response.status}`);
    return result;
  }
}
