// What Fleet's API answers: the parts that Odette reads. Which sources were read stands in docs/channels.md.
import { z } from 'zod';

/** Every error: `errors` says what is wrong; validation, conflict and refusal differ in their status. */
export const FleetError = z.object({ message: z.string() });

export const Version = z.object({ version: z.string() });

export const Me = z.object({ user: z.object({ global_role: z.string().nullish() }) });

export const Config = z.object({
  license: z.object({ tier: z.string() }).nullish(),
  mdm: z.object({ enabled_and_configured: z.boolean().nullish() }).nullish(),
  conditional_access: z
    .object({ okta_idp_id: z.string().nullish(), okta_audience_uri: z.string().nullish() })
    .nullish(),
});

/** Its result is the device's message, base64. `Pending`: newer versions say it for a host that was named. */
export const CommandResults = z.object({
  results: z
    .array(
      z.object({
        host_uuid: z.string(),
        command_uuid: z.string(),
        status: z.string(),
        updated_at: z.string(),
        result: z.string().nullish(),
      }),
    )
    .nullish(),
});

const Host = z.object({
  uuid: z.string(),
  platform: z.string(),
  hardware_serial: z.string().nullish(),
  hardware_model: z.string().nullish(),
  computer_name: z.string().nullish(),
  os_version: z.string().nullish(),
  team_id: z.number().int().nullish(),
  /** Of one host only. */
  last_mdm_enrolled_at: z.string().nullish(),
  last_mdm_checked_in_at: z.string().nullish(),
  labels: z.array(z.object({ name: z.string() })).nullish(),
  mdm: z
    .object({
      enrollment_status: z.string().nullish(),
      name: z.string().nullish(),
      connected_to_fleet: z.boolean().nullish(),
    })
    .nullish(),
});
export type HostAnswer = z.output<typeof Host>;
export const Hosts = z.object({ hosts: z.array(Host).nullish() });
export const OneHost = z.object({ host: Host });

export const Profiles = z.object({
  profiles: z
    .array(
      z.object({
        profile_uuid: z.string(),
        name: z.string(),
        platform: z.string(),
        checksum: z.string().nullish(),
        updated_at: z.string().nullish(),
      }),
    )
    .nullish(),
  meta: z.object({ has_next_results: z.boolean().nullish() }).nullish(),
});
