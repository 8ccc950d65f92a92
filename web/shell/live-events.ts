// Live progress: server-sent events say what changed, and what is on the page is read again. The browser reconnects with
// `Last-Event-ID`, so that nothing of an interruption is missed; after a refusal it gives up, and the console opens the stream anew.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { ConsoleOperation } from '../operations.ts';

const DEVICES: readonly ConsoleOperation[] = [
  'listDevices',
  'getDevice',
  'getDeviceTimeline',
  'getDeviceProfiles',
  'examineDevice',
  'getStatus',
  'getTotals',
  'listRollouts',
  'listFailures',
  'listRenewals',
  'renewalsByDay',
  'listBlueprints',
];
const RENEWALS: readonly ConsoleOperation[] = [
  'listRenewals',
  'listRenewalHistory',
  'renewalsByDay',
  'getDevice',
  'getDeviceTimeline',
];
const SETUPS: readonly ConsoleOperation[] = [
  'listRotations',
  'getRotation',
  'getSetup',
  'listSetups',
  'listIntegrations',
  'getIntegration',
];
const LIBRARY: readonly ConsoleOperation[] = [
  'listLibraryItems',
  'getLibraryItem',
  'previewLibraryItem',
  'listBlueprints',
  'getStatus',
];

/** By the name of the event; test/browser/live-events.test.ts compares this list with what the product writes. */
const CONCERNS: Readonly<Record<string, readonly ConsoleOperation[]>> = {
  'device.authenticated': DEVICES,
  'device.enrolled': DEVICES,
  'device.checked_out': DEVICES,
  'device.identity_used_elsewhere': DEVICES,
  'device.trust_changed': DEVICES,
  'certificate.renewal_changed': RENEWALS,
  'setup.step_changed': SETUPS,
  'integration.changed': SETUPS,
  'integration.health_changed': ['listIntegrations', 'getIntegration', 'getStatus'],
  'removal.changed': ['listPlatformRemovals', 'getIntegration', 'listIntegrations'],
  'integration.checked': ['getIntegration', 'getStatus'],
  'integration.authority_changed': ['getIntegration', 'getStatus'],
  'library_item.changed': LIBRARY,
  'fleet_rollout.changed': ['listFleetRollouts', 'getFleetRollout', 'listFleetRolloutDevices', 'getStatus'],
  'push_certificate.changed': ['getPushCertificate', 'getStatus', 'previewLibraryItem'],
  'apps_and_books.changed': ['getAppsAndBooks', 'getStatus', 'previewLibraryItem'],
};
/** Bursts of a fleet are drawn together. */
const PAUSE_MS = 700;
/** Before a refused stream is opened anew: doubled each time, and not at once for all pages. */
const FIRST_WAIT_MS = 2_000;
const MAX_WAIT_MS = 60_000;

export function useLiveEvents(isOn: boolean): void {
  const client = useQueryClient();
  useEffect(() => {
    if (!isOn) return;
    const waiting = new Set<ConsoleOperation>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      for (const operation of waiting) void client.invalidateQueries({ queryKey: [operation] });
      waiting.clear();
    };
    let again: ReturnType<typeof setTimeout> | undefined;
    let waitMs = FIRST_WAIT_MS;
    let hasMissed = false;
    const open = (): EventSource => {
      const opened = new EventSource('/api/events');
      opened.onopen = () => {
        waitMs = FIRST_WAIT_MS;
        if (hasMissed) void client.invalidateQueries();
        hasMissed = false;
      };
      opened.onerror = () => {
        // Otherwise the browser reconnects by itself.
        if (opened.readyState !== EventSource.CLOSED) return;
        hasMissed = true;
        again = setTimeout(() => (source = open()), waitMs * (0.5 + Math.random()));
        waitMs = Math.min(waitMs * 2, MAX_WAIT_MS);
      };
      for (const [kind, operations] of Object.entries(CONCERNS))
        opened.addEventListener(kind, () => {
          for (const operation of operations) waiting.add(operation);
          timer ??= setTimeout(flush, PAUSE_MS);
        });
      return opened;
    };
    let source = open();
    return () => {
      source.close();
      clearTimeout(again);
      clearTimeout(timer);
    };
  }, [client, isOn]);
}
