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
  'listBlueprints',
  'getStatus',
];

/** By the first word of an event's kind. */
const CONCERNS: Readonly<Record<string, readonly ConsoleOperation[]>> = {
  device: DEVICES,
  rollout: DEVICES,
  certificate: DEVICES,
  setup: SETUPS,
  integration: SETUPS,
  library: LIBRARY,
  library_item: LIBRARY,
  blueprint: LIBRARY,
  push_certificate: ['getPushCertificate', 'getStatus'],
  apps_and_books: ['getAppsAndBooks', 'getStatus'],
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
    source.onmessage = ({ data }: MessageEvent<string>) => {
      for (const operation of CONCERNS[wordOf(data)] ?? []) waiting.add(operation);
      if (waiting.size > 0) timer ??= setTimeout(flush, PAUSE_MS);
    };
    return () => {
      source.close();
      clearTimeout(timer);
    };
  }, [client, isOn]);
}

function wordOf(data: string): string {
  try {
    const { kind } = JSON.parse(data) as { kind?: unknown };
    return typeof kind === 'string' ? (kind.split('.')[0] ?? '') : '';
  } catch {
    return '';
  }
}
