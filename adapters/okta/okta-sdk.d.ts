// The parts of Okta's SDK that Odette imports: it keeps the types of its modules in another folder than the modules.
declare module '@okta/okta-sdk-nodejs/src/generated/apis/AuthenticatorApi.js' {
  export * from '@okta/okta-sdk-nodejs/src/types/generated/apis/AuthenticatorApi.js';
}
declare module '@okta/okta-sdk-nodejs/src/generated/apis/DeviceApi.js' {
  export * from '@okta/okta-sdk-nodejs/src/types/generated/apis/DeviceApi.js';
}
declare module '@okta/okta-sdk-nodejs/src/generated/apis/SystemLogApi.js' {
  export * from '@okta/okta-sdk-nodejs/src/types/generated/apis/SystemLogApi.js';
}
declare module '@okta/okta-sdk-nodejs/src/generated/configuration.js' {
  export * from '@okta/okta-sdk-nodejs/src/types/generated/configuration.js';
}
declare module '@okta/okta-sdk-nodejs/src/generated/http/http.js' {
  export * from '@okta/okta-sdk-nodejs/src/types/generated/http/http.js';
}
declare module '@okta/okta-sdk-nodejs/src/generated/servers.js' {
  export * from '@okta/okta-sdk-nodejs/src/types/generated/servers.js';
}
