// The entry of the workflows' bundle: every workflow, by the name under which it is started, and which code goes on with it after an upgrade.
import { setWorkflowOptions } from '@temporalio/workflow';
import { checkIntegration } from './check-integration.ts';
import { enforceDesiredState } from './enforce-desired-state.ts';
import { keepCertificate } from './keep-certificate.ts';
import { observeTrust } from './observe-trust.ts';
import { pollOktaTrust } from './poll-okta-trust.ts';
import { removePlatform } from './remove-platform.ts';
import { rollOutDevice } from './roll-out-device.ts';
import { rollOutFleet } from './roll-out-fleet.ts';
import { rotateSecret } from './rotate-secret.ts';
import { setUpIntegration } from './set-up-integration.ts';
import { watchExpiry } from './watch-expiry.ts';

/** A certificate is kept for years, a setup waits for people: the newest code goes on with them. */
const UPGRADED = {
  checkIntegration,
  enforceDesiredState,
  keepCertificate,
  observeTrust,
  pollOktaTrust,
  removePlatform,
  rollOutFleet,
  rotateSecret,
  setUpIntegration,
  watchExpiry,
};
for (const workflow of Object.values(UPGRADED))
  setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, workflow as () => Promise<void>);

export {
  checkIntegration,
  enforceDesiredState,
  keepCertificate,
  observeTrust,
  pollOktaTrust,
  removePlatform,
  rollOutDevice,
  rollOutFleet,
  rotateSecret,
  setUpIntegration,
  watchExpiry,
};
