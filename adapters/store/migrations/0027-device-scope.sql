-- What "in scope" is made of, once: everything that asks whether a device is to have an item's payloads asks here.
create view device_scope as
  select device.id as device_id, device.platform, device.blueprint_id,
         item.id as library_item_id, -- null: its blueprint has no item
         item.integration_id,
         coalesce(item.device_trust_on, false) as is_switched_on,
         platform.platform is not null as is_configured, -- the integration has this platform
         device.enrollment_status in ('enrolled', 'unreachable') as is_enrolled, -- as in devices/enrolled.ts
         item.device_trust_on is true and platform.platform is not null
           and device.enrollment_status in ('enrolled', 'unreachable') as is_in_scope
    from devices as device
    left join library_item_blueprints as assigned on assigned.blueprint_id = device.blueprint_id
    left join library_items as item on item.id = assigned.library_item_id
    left join integration_platforms as platform on platform.integration_id = item.integration_id and platform.platform = device.platform;
