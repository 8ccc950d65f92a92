// What the tests use of oidc-provider, which brings no types.
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  interface Grant {
    addOIDCScope(scope: string): void;
    save(): Promise<string>;
  }
  interface Context {
    readonly oidc: {
      readonly provider: Provider;
      readonly client?: { readonly clientId: string };
      readonly session?: { readonly accountId?: string };
    };
  }
  export interface Configuration {
    readonly [name: string]: unknown;
    readonly findAccount?: (context: unknown, id: string) => unknown;
    readonly loadExistingGrant?: (context: Context) => Promise<Grant>;
  }
  export class Provider {
    constructor(issuer: string, configuration: Configuration);
    readonly Grant: new (properties: { clientId: string; accountId: string }) => Grant;
    callback(): RequestListener;
  }
}
