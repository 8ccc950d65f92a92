// Makes this process trust an authority of the tests, as NODE_EXTRA_CA_CERTS does for a process that is yet to start.
import tls from 'node:tls';

/** For every TLS connection made from now on. Node reads NODE_EXTRA_CA_CERTS only at its start, which a test cannot go back to. */
export function trustAuthority(pem: string): void {
  const create = tls.createSecureContext;
  tls.createSecureContext = (options) => {
    const context = create(options);
    (context as { context: { addCACert(pem: string): void } }).context.addCACert(pem);
    return context;
  };
}
