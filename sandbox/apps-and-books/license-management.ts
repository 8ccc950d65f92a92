// The management port's view of the pretend Apps and Books. Mounted by main.ts at /apps-and-books.
import { Router } from 'express';
import { z } from 'zod';
import type { Location } from './location.ts';
import { LicenseKnobsShape } from './license-state.ts';

const Token = z.object({ organization: z.string().optional(), lifeDays: z.number().optional() });
const Asset = z.strictObject({
  total: z.number().int().nonnegative().optional(),
  deviceAssignable: z.boolean().optional(),
  platforms: z.array(z.enum(['iOS', 'macOS'])).optional(),
});

export function licenseManagement(location: Location): Router {
  const routes = Router();
  routes.get('/', async (_request, response) => {
    await location.settle();
    const { assets, assignments, events, knobs, counts, tokens } = location.state;
    response.json({ assets, assignments, events, knobs, counts, tokens: tokens.length });
  });
  routes.patch('/knobs', async (request, response) => {
    const read = LicenseKnobsShape.partial().safeParse(request.body);
    if (!read.success) {
      response.status(400).json({ error: read.error.issues[0]?.message });
      return;
    }
    Object.assign(location.state.knobs, read.data);
    await location.save();
    response.json(location.state.knobs);
  });
  /** `content` is the file that an admin downloads from Apple Business Manager. */
  routes.post('/tokens', async (request, response) => {
    const { organization, lifeDays } = Token.parse(request.body ?? {});
    response.status(201).json({ content: await location.newToken(organization, lifeDays) });
  });
  routes.post('/tokens/revoke', async (_request, response) => {
    for (const token of location.state.tokens) token.isRevoked = true;
    await location.save();
    response.status(204).end();
  });
  routes.patch('/assets/:adamId', async (request, response) => {
    const asset = location.state.assets.find(({ adamId }) => adamId === request.params.adamId);
    const read = Asset.safeParse(request.body);
    if (asset === undefined || !read.success) {
      response.status(asset === undefined ? 404 : 400).json({ error: 'unknown asset or unfit change' });
      return;
    }
    Object.assign(asset, read.data);
    await location.save();
    response.json(asset);
  });
  /** Takes a license away without telling anybody, as a person in Apple Business Manager can. */
  routes.delete('/assignments/:adamId/:serialNumber', async (request, response) => {
    const gone = `${request.params.adamId} ${request.params.serialNumber}`;
    location.state.assignments = location.state.assignments.filter((one) => one !== gone);
    await location.save();
    response.status(204).end();
  });
  return routes;
}
