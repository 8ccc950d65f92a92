// An RSA or EC signature made in Node's thread pool: a server that makes many does not keep everybody else waiting meanwhile.
import { sign, type KeyObject } from 'node:crypto';

/** @param digest e.g. `sha256` */
export const signBeside = (digest: string, data: Uint8Array, key: KeyObject): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    sign(digest, data, key, (error, signature) => {
      if (error === null) resolve(signature);
      else reject(error);
    });
  });
