// The management port's addresses for devices: each does what a person, a user or fate would do to a device.
import type { Request, Response, Router } from 'express';
import express from 'express';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import type { MovableClock } from '../clock.ts';
import type { PretendDevice } from '../devices/device.ts';
import type { DeviceKnobs } from '../devices/device-state.ts';
import type { Fleet, NewDevice } from '../devices/fleet.ts';
import { summaryOf, viewOf } from './device-view.ts';
import { Refused } from './refused.ts';
import type { KnobsChange } from './request-shapes.ts';
import * as shapes from './request-shapes.ts';

const APP = { bundleId: OKTA_VERIFY.bundleId, name: 'Okta Verify', version: '9.52.1' };

/** Drops absent fields, so that a change names only what it changes. */
const given = <Value extends object>(value: Value): Partial<Value> =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Partial<Value>;

function changeKnobs(knobs: DeviceKnobs, change: KnobsChange): void {
  const { notNow, ...rest } = change;
  Object.assign(knobs, given(rest));
  if (notNow === null) delete knobs.notNow;
  else if (notNow)
    knobs.notNow = { times: notNow.times, ...(notNow.requestTypes && { requestTypes: notNow.requestTypes }) };
}

export function deviceRoutes(fleet: Fleet, clock: MovableClock): Router {
  const router = express.Router();
  const find = (request: Request): PretendDevice => {
    const device = fleet.get(String(request.params['name']));
    if (!device) throw new Refused(404, `there is no device named ${String(request.params['name'])}`);
    return device;
  };
  const act = (path: string, action: (device: PretendDevice, body: unknown) => unknown): void => {
    router.post(`/:name${path}`, async (request: Request, response: Response) => {
      const device = find(request);
      const result = await action(device, request.body ?? {});
      response.json(result ?? summaryOf(device.state));
    });
  };

  router.get('/', (_request, response) => {
    response.json({ devices: fleet.list().map((device) => summaryOf(device.state)) });
  });
  router.post('/', async (request, response) => {
    const { knobs, ...wanted } = shapes.NewDeviceShape.parse(request.body);
    const device = await fleet.add(wanted as NewDevice).catch((error: Error) => {
      throw new Refused(409, error.message);
    });
    if (knobs) changeKnobs(device.state.knobs, knobs);
    response.status(201).json(viewOf(device.state));
  });
  router.get('/:name', (request, response) => {
    response.json(viewOf(find(request).state));
  });
  router.delete('/:name', async (request, response) => {
    await fleet.remove(find(request).state.name);
    response.status(204).end();
  });
  router.patch('/:name', async (request, response) => {
    const device = find(request);
    const { user, knobs, isSupervised, signature } = shapes.DeviceChangeShape.parse(request.body);
    if (user) Object.assign(device.state.user, given(user));
    if (knobs) changeKnobs(device.state.knobs, knobs);
    if (isSupervised !== undefined) device.state.isSupervised = isSupervised;
    if (signature !== undefined) device.state.signature = signature;
    await device.setPower(device.state.power);
    if (knobs?.userSession !== undefined) device.connectUser();
    response.json(viewOf(device.state));
  });

  act('/enroll', async (device, body) => {
    const { url, code, erase } = shapes.EnrollShape.parse(body);
    await device.enroll({ url, code }, erase).catch((error: Error) => {
      throw new Refused(502, error.message);
    });
  });
  act('/erase', (device) => device.erase());
  act('/check-out', (device) => device.checkOut());
  act('/connect', (device) => device.connect());
  act('/token-update', (device, body) => device.updateToken(shapes.TokenShape.parse(body).isNew));
  act('/wake', (device) => fleet.wake(device.state.name));
  for (const [path, power] of [
    ['/sleep', 'asleep'],
    ['/power-off', 'off'],
  ] as const) {
    act(path, (device, body) => {
      const { forSeconds } = shapes.PowerShape.parse(body);
      const wakesAt =
        forSeconds === undefined ? undefined : new Date(clock.now().getTime() + forSeconds * 1000);
      return device.setPower(power, wakesAt);
    });
  }
  act('/sign-in', (device, body) => {
    const { tenant } = shapes.SignInShape.parse(body);
    return device.signIn({ how: 'ordered', ...(tenant !== undefined && { tenant }) });
  });
  act('/install-okta-verify', (device, body) =>
    device.installByHand(APP, shapes.AppShape.parse(body).source),
  );
  act('/remove-okta-verify', (device) => device.removeByHand(APP.bundleId));
  act('/answer-prompt', async (device, body) => {
    if (!(await device.answerPrompt(shapes.PromptShape.parse(body).response)))
      throw new Refused(409, 'no prompt is open on the device');
  });
  return router;
}
