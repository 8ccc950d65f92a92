// RSA 2048 keys of pretend devices, each made of two of a few primes: to find a prime takes a hundred times as long as all the rest.
// Whoever has seen two such keys can often break both. They guard nothing: no other key of the sandbox is made like this.
import { createPrivateKey, createPublicKey, generatePrime, type KeyObject } from 'node:crypto';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const EXPONENT = 65_537n;
const PRIME_BITS = 1024;

export class DeviceKeys {
  readonly #primes: bigint[] = [];
  /** Of which no key was made yet. */
  readonly #pairs: (readonly [bigint, bigint])[] = [];
  #growing: Promise<void> | undefined;

  /** A key that nobody has had. */
  async take(): Promise<KeyPair> {
    for (;;) {
      const pair = this.#pairs.pop();
      if (pair !== undefined) return keyOf(pair);
      await (this.#growing ??= this.#grow().finally(() => (this.#growing = undefined)));
    }
  }

  async #grow(): Promise<void> {
    const prime = await newPrime();
    for (const other of this.#primes) this.#pairs.push([prime, other]);
    this.#primes.push(prime);
  }
}

/** Its two highest bits are set, so that a product of two has 2048 bits. */
async function newPrime(): Promise<bigint> {
  for (;;) {
    const prime = await new Promise<bigint>((resolve, reject) =>
      generatePrime(PRIME_BITS, { bigint: true }, (error, found) => {
        if (error) reject(error);
        else resolve(found);
      }),
    );
    if (prime >> BigInt(PRIME_BITS - 2) === 3n && prime % EXPONENT !== 1n) return prime;
  }
}

function keyOf([p, q]: readonly [bigint, bigint]): KeyPair {
  const d = inverse(EXPONENT, (p - 1n) * (q - 1n));
  const parts = { n: p * q, e: EXPONENT, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  const jwk = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, base64Url(part)]));
  const privateKey = createPrivateKey({ format: 'jwk', key: { kty: 'RSA', ...jwk } });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** Of `value`, modulo `modulus`; they have no common divisor. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [rest, next] = [modulus, value % modulus];
  let [factor, nextFactor] = [0n, 1n];
  while (next !== 0n) {
    const quotient = rest / next;
    [rest, next] = [next, rest - quotient * next];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  return ((factor % modulus) + modulus) % modulus;
}

function base64Url(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url');
}
