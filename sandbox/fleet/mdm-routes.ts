// The devices' side of a pretend Fleet server: enrollment profile, SCEP, check-in and commands, at Fleet's own addresses.
import { randomUUID } from 'node:crypto';
import express, { type Request, type Response, type Router } from 'express';
import { readDeviceMessage, type Authenticate, type Report } from '../../adapters/mdm/device-message.ts';
import { buildPlist, type PlistDict } from '../../adapters/mdm/plist.ts';
import { newRsaKeyPair, type KeyAndCertificate } from '../../adapters/pki/certificate-authority.ts';
import { wasIssuedBy } from '../../adapters/pki/certificate.ts';
import { signAttached, verifyDetached } from '../../adapters/pki/cms.ts';
import { handleScep } from '../../adapters/pki/scep-server.ts';
import type { FleetHostState } from './fleet-state.ts';
import { lifeOf, type FleetWorld } from './fleet-world.ts';

const MDM = '/mdm/apple/mdm';
const SCEP = '/mdm/apple/scep';

export async function mdmRoutes(world: FleetWorld, base: string): Promise<Router> {
  const signer = await newSigner(world);
  const routes = express.Router();
  const bytes = express.raw({ type: () => true, limit: '8mb' });
  // Whoever opens Fleet's enrollment link gets its profile; Odette's codes mean nothing here.
  routes.all('/enroll', (_request, response) => {
    response.type('application/x-apple-aspen-config').send(signAttached(profileFor(world, base), signer));
  });
  routes.all(SCEP, bytes, (request, response) => serveScep(world, request, response));
  routes.put(MDM, bytes, (request, response) => serveMessage(world, request, response));
  return routes;
}

async function newSigner({ authority }: FleetWorld): Promise<KeyAndCertificate> {
  const { publicKey, privateKey } = await newRsaKeyPair();
  const subject = [['CN', 'Fleet enrollment']] as const;
  return { privateKey, certificate: authority.issue({ subject, publicKey, use: 'signing', ...lifeOf(1) }) };
}

function profileFor({ state }: FleetWorld, base: string): Buffer {
  const identity = randomUUID();
  const payload = (type: string, uuid: string, keys: PlistDict): PlistDict => ({
    PayloadType: type,
    PayloadVersion: 1,
    PayloadIdentifier: `com.fleetdm.fleet.mdm.apple.${type}`,
    PayloadUUID: uuid,
    ...keys,
  });
  return buildPlist({
    PayloadType: 'Configuration',
    PayloadVersion: 1,
    PayloadIdentifier: 'com.fleetdm.fleet.mdm.apple',
    PayloadUUID: randomUUID(),
    PayloadDisplayName: 'Fleet enrollment',
    PayloadContent: [
      payload('com.apple.security.scep', identity, {
        PayloadContent: {
          URL: `${base}${SCEP}`,
          Challenge: state.challenge,
          Keysize: 2048,
          'Key Type': 'RSA',
          'Key Usage': 5,
          Subject: [[['CN', 'Fleet Identity']]],
        },
      }),
      payload('com.apple.mdm', randomUUID(), {
        IdentityCertificateUUID: identity,
        Topic: state.topic,
        ServerURL: `${base}${MDM}`,
        SignMessage: true,
        AccessRights: 8191,
        CheckOutWhenRemoved: true,
      }),
    ],
  });
}

async function serveScep(world: FleetWorld, request: Request, response: Response): Promise<void> {
  const text = (name: string): string | undefined => {
    const value = request.query[name];
    return typeof value === 'string' ? value : undefined;
  };
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const asked = { method: request.method, operation: text('operation'), message: text('message'), body };
  const { authority, state } = world;
  const scep = await handleScep(asked, {
    authority,
    decide: ({ challengePassword, subject, publicKey }) =>
      challengePassword === state.challenge
        ? authority.issue({ subject, publicKey, use: 'client', ...lifeOf(1) })
        : { refusal: 'challenge' },
  });
  response.status(scep.status).type(scep.contentType).send(scep.body);
}

async function serveMessage(world: FleetWorld, request: Request, response: Response): Promise<void> {
  const body = request.body as Buffer;
  const signature = Buffer.from(request.get('mdm-signature') ?? '', 'base64');
  const signer = verifyDetached(signature, body);
  if (!wasIssuedBy(signer, world.authority.certificate, new Date())) return void response.status(403).end();
  const identity = signer.fingerprint.toString('base64');
  const message = readDeviceMessage(body);
  // Of a user's channel it takes nothing here.
  if (message.userId !== undefined) return void response.status(200).end();
  if (message.type === 'Authenticate') {
    authenticate(world, message, identity);
    await world.save();
    return void response.status(200).end();
  }
  const host = world.host(message.udid);
  if (host?.identity !== identity) return void response.status(403).end();
  host.checkedInAt = new Date().toISOString();
  const answer = takeMessage(world, host, message, body);
  await world.save();
  response.status(200).end(answer);
}

function takeMessage(
  world: FleetWorld,
  host: FleetHostState,
  message: ReturnType<typeof readDeviceMessage>,
  body: Buffer,
): Buffer | undefined {
  if (message.type === 'TokenUpdate') {
    host.pushToken = message.token.toString('hex');
    host.pushMagic = message.pushMagic;
    if (host.enrollmentStatus === 'Off') host.enrolledAt = new Date().toISOString();
    host.enrollmentStatus = 'On (manual)';
  } else if (message.type === 'CheckOut') {
    host.enrollmentStatus = 'Off';
    clearQueue(world, host.udid);
  } else if (message.type === 'Report') return report(world, host, message, body);
  return undefined;
}

/** A host is listed from its Authenticate on; what waited for an earlier enrollment is never offered again. */
function authenticate(world: FleetWorld, message: Authenticate, identity: string): void {
  const { udid, productName: model = '', serialNumber: serial = '', osVersion = '', deviceName } = message;
  const platform = model.startsWith('iPhone') ? 'ios' : model.startsWith('iPad') ? 'ipados' : 'darwin';
  const { state } = world;
  clearQueue(world, udid);
  const before = world.host(udid);
  const osName = { darwin: 'macOS', ios: 'iOS', ipados: 'iPadOS' }[platform];
  const now = new Date().toISOString();
  const host: FleetHostState = {
    id: before?.id ?? Math.max(0, ...state.hosts.map(({ id }) => id)) + 1,
    ...{ udid, platform, model, serial, identity },
    name: deviceName ?? before?.name ?? '',
    osVersion: `${osName} ${osVersion}`,
    labels: before?.labels ?? ['All Hosts', osName, ...state.knobs.newHostLabels],
    enrollmentStatus: 'Off',
    topic: message.topic,
    pushToken: '',
    pushMagic: '',
    enrolledAt: now,
    checkedInAt: now,
  };
  state.hosts = [...state.hosts.filter((one) => one !== before), host];
}

function clearQueue(world: FleetWorld, udid: string): void {
  for (const command of world.commandsOf(udid))
    if (command.status === '' || command.status === 'NotNow') command.isActive = false;
}

function report(
  world: FleetWorld,
  { udid }: FleetHostState,
  message: Report,
  body: Buffer,
): Buffer | undefined {
  const answered = world.commandsOf(udid).find(({ uuid }) => uuid === message.commandUuid);
  if (answered !== undefined && message.status !== 'Idle') {
    answered.status = message.status;
    answered.result = body.toString('base64');
    answered.answeredAt = Date.now();
  }
  const next = world.nextFor(udid, message.status === 'NotNow');
  return next && Buffer.from(next.raw, 'base64');
}
