// What the states of a command mean, as SQL over the table `commands`.

/** The device has not carried it out yet, as far as anybody knows. */
export const OUTSTANDING = `('queued', 'handed_over', 'not_now')`;

/** So long after a command was handed over its device works on it, and asks for the next one by itself. */
const WORKS_ON_IT_SECONDS = 20;

/**
 * Whether the device (a row of `devices`) will ask for its next command by itself, so that a push would be wasted: a request of it waits, or
 * it works on a command that it was handed a moment ago. No request of a user's channel waits.
 */
export const isInConversationSql = ({ device, userId }: { device: string; userId: string }): string => `(
  (${userId} is null and coalesce(${device}.long_poll_until > now(), false))
  or exists (select from commands where commands.device_id = ${device}.id and state = 'handed_over'
                and user_id is not distinct from ${userId} and handed_over_at > now() - interval '${WORKS_ON_IT_SECONDS} seconds'))`;

/** The device cannot have carried it out: never handed over, or NotNow. */
export const CAN_BE_TAKEN_BACK = `(commands.state = 'not_now'
  or (commands.state = 'queued' and (commands.handed_over_at is null or commands.hands_over_once)))`;
