// The sandbox as a process: opens it by the environment, prints one line of JSON when it is ready, ends on SIGTERM or SIGINT.
import { z } from 'zod';
import { openSandbox } from './sandbox.ts';

const port = (byDefault: number): z.ZodType<number> =>
  z.coerce.number().int().min(0).max(65_535).default(byDefault);

/** Port 0 takes any free one; the ready line says which. */
const Environment = z.object({
  SANDBOX_DATA_DIR: z.string().min(1),
  SANDBOX_MANAGEMENT_PORT: port(4790),
  SANDBOX_TENANT_ONE_PORT: port(4791),
  SANDBOX_TENANT_TWO_PORT: port(4792),
  SANDBOX_APNS_PORT: port(4793),
  SANDBOX_APPS_AND_BOOKS_PORT: port(4794),
  SANDBOX_FLEET_PORT: port(4795),
  /** `none`: starts without devices. */
  SANDBOX_DEVICES: z.enum(['default', 'none']).default('default'),
});

async function main(): Promise<void> {
  const read = Environment.safeParse(process.env);
  if (!read.success) {
    console.error(z.prettifyError(read.error));
    process.exitCode = 2;
    return;
  }
  const settings = read.data;
  const sandbox = await openSandbox({
    dataDir: settings.SANDBOX_DATA_DIR,
    hasDefaultFleet: settings.SANDBOX_DEVICES === 'default',
    ports: {
      management: settings.SANDBOX_MANAGEMENT_PORT,
      tenants: [settings.SANDBOX_TENANT_ONE_PORT, settings.SANDBOX_TENANT_TWO_PORT],
      apns: settings.SANDBOX_APNS_PORT,
      appsAndBooks: settings.SANDBOX_APPS_AND_BOOKS_PORT,
      fleet: settings.SANDBOX_FLEET_PORT,
    },
  });
  console.log(JSON.stringify({ ready: true, ...sandbox.addresses }));
  let isEnding = false;
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    void sandbox.close().finally(() => process.exit(0));
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
}

await main();
