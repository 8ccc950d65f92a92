// A mail server (RFC 5321) with TLS from the first byte or by STARTTLS (RFC 3207), for tests: takes one account, keeps what arrives.
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { serverIdentity } from './pretend-okta.ts';

export interface MailServer {
  readonly port: number;
  /** Whole messages, with the envelope's addresses before them. */
  readonly mails: { readonly from: string; readonly to: readonly string[]; readonly text: string }[];
  readonly account: { username: string; password: string };
  /** Whether it offers STARTTLS. */
  offersTls: boolean;
  close(): Promise<void>;
}

export async function openMailServer(security: 'tls' | 'starttls'): Promise<MailServer> {
  const { key, cert } = await serverIdentity();
  const secureContext = createSecureContext({ key, cert });
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    const secured = () => new TLSSocket(socket, { isServer: true, secureContext });
    if (security === 'tls') converse(state, secured(), undefined, true);
    else converse(state, socket, secured, true);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const state: MailServer = {
    port: (server.address() as AddressInfo).port,
    mails: [],
    account: { username: 'odette', password: 'a password for mail' },
    offersTls: true,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return state;
}

/** @param secured undefined: the connection is over TLS */
function converse(
  state: MailServer,
  socket: Socket,
  secured: (() => TLSSocket) | undefined,
  isGreeted: boolean,
): void {
  let [from, to, data, text]: [string, string[], boolean, string] = ['', [], false, ''];
  const say = (line: string) => void socket.write(`${line}\r\n`);
  const take = (line: string): void => {
    if (data) {
      if (line !== '.') return void (text += `${line.replace(/^\./, '')}\n`);
      state.mails.push({ from, to, text });
      [from, to, data, text] = ['', [], false, ''];
      return say('250 taken');
    }
    const [verb = ''] = line.toUpperCase().split(' ');
    if (verb === 'EHLO') {
      const offers = secured === undefined ? ['AUTH PLAIN'] : state.offersTls ? ['STARTTLS'] : [];
      return [...['mail.test', ...offers].map((each) => `250-${each}`), '250 SIZE 100000'].forEach(say);
    }
    if (verb === 'STARTTLS' && !state.offersTls) return say('502 not implemented');
    if (verb === 'STARTTLS' && secured !== undefined) {
      say('220 go ahead');
      socket.removeAllListeners('data');
      return converse(state, secured(), undefined, false);
    }
    if (verb === 'AUTH') {
      const [, user, password] = Buffer.from(line.split(' ')[2] ?? '', 'base64')
        .toString('utf8')
        .split('\0');
      const isRight = user === state.account.username && password === state.account.password;
      return say(isRight ? '235 welcome' : '535 5.7.8 Authentication credentials invalid');
    }
    if (verb === 'MAIL') from = /<([^>]*)>/.exec(line)?.[1] ?? '';
    if (verb === 'RCPT') to.push(/<([^>]*)>/.exec(line)?.[1] ?? '');
    if (verb === 'DATA') {
      data = true;
      return say('354 go on');
    }
    say(verb === 'QUIT' ? '221 bye' : '250 ok');
  };
  let rest = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\r\n');
    rest = lines.pop() ?? '';
    lines.forEach(take);
  });
  if (isGreeted) say('220 mail.test ESMTP');
}
