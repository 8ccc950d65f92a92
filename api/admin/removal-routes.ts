// Devices that are to leave, and records of devices that have left.
import { previewWaves, startFleetChange } from '../../adapters/store/rollout/fleet-rollout-start.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import { findFleetRow } from '../../adapters/store/fleet/fleet.ts';
import { moveDevices } from '../../adapters/store/library/blueprints.ts';
import { appendEvent } from '../../adapters/store/base/events.ts';
import { deleteDevice, readLeaving } from '../../adapters/store/rollout/removal.ts';
import { DEFAULT_INTEGRATION_SETTINGS } from '../../domain/integration-settings.ts';
import type { removal } from '../contract/removal.ts';
import { ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';

export function removalHandlers(): Handlers<typeof removal> {
  return {
    removeDevices: async ({ sql, body, caller }) => {
      const { ids, delayMinutes } = await readLeaving(sql, body.ids);
      const startsInMinutes = delayMinutes ?? DEFAULT_INTEGRATION_SETTINGS.removalDelayMinutes;
      const waves = await previewWaves(sql, ids.length, []);
      if (body.preview) return { devices: ids.length, startsInMinutes, waves, fleetRolloutId: null };
      if (ids.length === 0)
        throw new ProblemError('request.conflict', { detail: 'None of these devices is in a blueprint.' });
      const moved = await moveDevices(sql, ids, null);
      const { fleetRolloutId } = await startFleetChange(sql, {
        kind: 'removal',
        integrationId: null,
        reason: 'an operator removed the device from its blueprint',
        by: caller.actor,
        which: [{ deviceIds: moved }],
      });
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'device.removed',
        ...(moved.length === 1 && { subject: `device:${moved[0] ?? ''}` }),
        detail: { devices: moved.length, reason: body.reason, fleetRolloutId, ids: moved.slice(0, 100) },
      });
      return { devices: moved.length, startsInMinutes, waves, fleetRolloutId };
    },

    deleteDevice: async ({ sql, params, caller }) => {
      const device = await findFleetRow(sql, params.id);
      if (!(await deleteDevice(sql, params.id)))
        throw new ProblemError('request.conflict', {
          detail:
            'The device is still enrolled and checks in. Remove the enrollment profile on the device first.',
        });
      const subject = `device:${params.id}`;
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'device.forgotten',
        subject,
        detail: { name: device?.name ?? device?.serialNumber },
      });
      await appendEvent(sql, { kind: 'device.trust_changed', subject });
      return undefined;
    },
  };
}
