// The entry of the workflows' bundle: every workflow, by the name under which it is started.
export { checkIntegration } from './check-integration.ts';
export { enforceDesiredState } from './enforce-desired-state.ts';
export { keepCertificate } from './keep-certificate.ts';
export { pollOktaTrust } from './poll-okta-trust.ts';
export { observeTrust } from './observe-trust.ts';
export { removePlatform } from './remove-platform.ts';
export { rollOutDevice } from './roll-out-device.ts';
export { rollOutFleet } from './roll-out-fleet.ts';
export { rotateSecret } from './rotate-secret.ts';
export { setUpIntegration } from './set-up-integration.ts';
export { watchExpiry } from './watch-expiry.ts';
