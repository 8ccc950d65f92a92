// Which devices a change touches, as a query over device_scope.

/** Of several given, all must fit. */
export interface WhichDevices {
  readonly integrationId?: string | undefined;
  readonly platform?: string | undefined;
  readonly libraryItemId?: string | undefined;
  readonly blueprintIds?: readonly string[] | undefined;
  readonly deviceIds?: readonly string[] | undefined;
}

/**
 * SQL of the ids of enrolled devices of the blueprints that have an item (integration, library item), or of the blueprints and devices
 * named: those of each of `which`. Not of a device whose platform is not configured, unless it has payloads that may have to go.
 * @param values to which the parameters are added
 */
export function affectedSql(which: readonly WhichDevices[], values: unknown[]): string {
  const given = (value: unknown) => `$${values.push(value ?? null)}`;
  const each = which.map(({ integrationId, platform, libraryItemId, blueprintIds, deviceIds }) => {
    const [integration, item] = [given(integrationId), given(libraryItemId)];
    const [system, blueprints, devices] = [given(platform), given(blueprintIds), given(deviceIds)];
    return `select scope.device_id as id from device_scope as scope
        where scope.is_enrolled
          and (${integration}::uuid is null or (scope.integration_id = ${integration} and scope.is_switched_on))
          and (${system}::text is null or scope.platform = ${system})
          and (${item}::uuid is null or scope.library_item_id = ${item})
          and (${blueprints}::uuid[] is null or scope.blueprint_id = any(${blueprints}))
          and (${devices}::uuid[] is null or scope.device_id = any(${devices}))
          and (scope.is_configured or not scope.is_switched_on
               or exists (select from device_trust as trust where trust.device_id = scope.device_id and trust.integration_id is not null))`;
  });
  return each.join(' union ');
}

/** SQL: a fleet rollout (or its abort) holds this device back. */
export const isHeldSql = (deviceId: string): string =>
  `exists (select from fleet_rollout_devices as held where held.device_id = ${deviceId} and held.state in ('waiting', 'left'))`;
