// The port through which secrets are sealed before they are stored and opened where they are used.

export interface Sealer {
  /** The id of the key that seals now. */
  readonly currentKeyId: string;
  /** Seals under the current key. The context is bound in (AES-GCM additional data): opening needs the same one. */
  seal(plain: Uint8Array, context: string): Uint8Array;
  /** @throws SecretsError `secrets.key_missing` or `secrets.tampered` */
  open(sealed: Uint8Array, context: string): Uint8Array;
}
