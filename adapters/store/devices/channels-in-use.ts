// What the tables say of the channels of this installation; what follows from it: domain/channels-in-use.ts.
import type { ChannelFacts } from '../../../domain/channels-in-use.ts';
import type { Sql } from '../base/database.ts';

export async function readChannelFacts(sql: Sql): Promise<ChannelFacts> {
  const [row] = await sql.query<ChannelFacts>(
    `select array(select channel from integrations
            union select state #>> '{answers,get_started,channel}' from setups
                   where status = 'open' and state #> '{answers,get_started,channel}' is not null) as chosen,
            array(select distinct kind from channels) as added,
            array(select kind from channels
                   where exists (select from devices where channel_id = channels.id and enrollment_status <> 'checked_out')
            union select 'built_in' where exists (select from devices where channel_id is null and enrollment_status <> 'checked_out'))
              as enrolled,
            exists (select from enrollment_codes where revoked_at is null and expires_at > now() and uses < max_uses)
              as has_enrollment_code`,
  );
  return row ?? { chosen: [], added: [], enrolled: [], hasEnrollmentCode: false };
}
