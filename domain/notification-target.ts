// Where people are told what needs them: an endpoint for webhooks, a Slack channel, or mailboxes; and which of it they want to hear.
export const TARGET_KINDS = ['webhook', 'slack', 'email'] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** installation: what concerns the whole fleet (the console's alarms). devices: causes that devices share. */
export const TOPICS = ['installation', 'devices'] as const;
type Topic = (typeof TOPICS)[number];

export interface NotificationRules {
  readonly topics: readonly Topic[];
  /** Of a cause that devices share: fewer are not told. */
  readonly minDevices: number;
  /** Also notify when it is resolved. */
  readonly tellsWhenDone: boolean;
}

/** tls: from the first byte (usually port 465). starttls: the connection begins in the clear and is refused where it stays so. */
export const SMTP_SECURITIES = ['tls', 'starttls'] as const;

/** Of a target of the kind email. */
export interface EmailSettings {
  readonly host: string;
  readonly port: number;
  readonly security: (typeof SMTP_SECURITIES)[number];
  /** null: the server asks for no password. */
  readonly username: string | null;
  readonly from: string;
  readonly to: readonly string[];
}

/** Where the password of a mail server goes, and as whom: another one asks for the password again. */
export const emailAddressOf = ({
  host,
  port,
  security,
  username,
}: Pick<EmailSettings, 'host' | 'port' | 'security' | 'username'>): string =>
  `${security}://${username === null ? '' : `${username}@`}${host.toLowerCase()}:${port}`;
