// What the states of a command mean, as SQL over the table `commands`.

/** The device has not carried it out yet, as far as anybody knows. */
export const OUTSTANDING = `('queued', 'handed_over', 'not_now')`;

/** The device cannot have carried it out: never handed over, or NotNow. */
export const CAN_BE_TAKEN_BACK = `(commands.state = 'not_now'
  or (commands.state = 'queued' and (commands.handed_over_at is null or commands.hands_over_once)))`;
