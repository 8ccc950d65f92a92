// Live progress: server-sent events say what changed, and what is on the page is read again. The browser reconnects with
// `Last-Event-ID`, so that nothing of an interruption is missed.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { ConsoleOperation } from '../operations.ts';

const DEVICES: readonly ConsoleOperation[] = [
  'listDevices',
  'getDevice',
  'getDeviceTimeline',
  'getDeviceProfiles',
  'getStatus',
  'getTotals',
  'listRollouts',
  'listFailures',
  'listRenewals',
  'renewalsByDay',
  'listBlueprints',
];
const SETUPS: readonly ConsoleOperation[] = ['getSetup', 'listSetups', 'listIntegrations', 'getIntegration'];
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
  'device.trust_changed': DEVICES,
  'setup.step_changed': SETUPS,
  'integration.changed': SETUPS,
  'library_item.changed': LIBRARY,
  'push_certificate.changed': ['getPushCertificate', 'getStatus'],
  'apps_and_books.changed': ['getAppsAndBooks', 'getStatus'],
};
/** Bursts of a fleet are drawn together. */
const PAUSE_MS = 700;

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
    const source = new EventSource('/api/events');
    for (const [kind, operations] of Object.entries(CONCERNS))
      source.addEventListener(kind, () => {
        for (const operation of operations) waiting.add(operation);
        timer ??= setTimeout(flush, PAUSE_MS);
      });
    return () => {
      source.close();
      clearTimeout(timer);
    };
  }, [client, isOn]);
}
