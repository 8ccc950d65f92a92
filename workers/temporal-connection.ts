// Connects to Temporal by the SDK's own environment configuration (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_PROFILE, TLS, API key …).
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import type { PayloadKeys } from './codec.ts';
import { sealedClientOptions } from './sealed-client.ts';

export interface TemporalSettings {
  readonly namespace: string;
  readonly connection: ConnectionOptions & NativeConnectionOptions;
}

/** @throws Error of the SDK when the named profile or its files cannot be read */
export function readTemporalSettings(environment: NodeJS.ProcessEnv): TemporalSettings {
  const given = Object.entries(environment).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const { connectionOptions, namespace } = loadClientConnectConfig({
    overrideEnvVars: Object.fromEntries(given),
  });
  return { namespace: namespace ?? 'default', connection: { ...connectionOptions } };
}

/**
 * A client that may be made before Temporal is there: its calls fail until it is (workers/temporal-outage.ts tells such failures)
 * and work as soon as it is back.
 */
export function createClient(settings: TemporalSettings, keys: PayloadKeys): Client {
  const connection = Connection.lazy({
    ...settings.connection,
    channelArgs: {
      // gRPC's own default waits up to two minutes before it looks again.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.min_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
    },
  });
  return new Client({
    connection,
    namespace: settings.namespace,
    ...sealedClientOptions(keys, settings.namespace),
  });
}

/** For the worker. @throws TransportError while Temporal is not there */
export const connectWorker = (settings: TemporalSettings): Promise<NativeConnection> =>
  NativeConnection.connect(settings.connection);
