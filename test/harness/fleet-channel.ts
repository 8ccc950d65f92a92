// Makes the sandbox's Fleet server a channel of Odette: hosts with the label come into the blueprint.
import type { TrustedWorld } from './stage.ts';
import type { World } from './world.ts';

export const LABEL = 'Okta Device Trust';

export async function addFleetChannel(
  world: World,
  { stage, blueprintId }: TrustedWorld,
): Promise<{ readonly id: string; readonly token: string }> {
  await world.manage('PATCH', '/fleet/knobs', { newHostLabels: [LABEL] });
  const { tokens } = await world.manage<{ tokens: { token: string }[] }>('GET', '/fleet');
  const token = tokens[0]?.token ?? '';
  const { id } = await stage.odette.call('post /api/channels', {
    body: {
      kind: 'fleet',
      name: 'Fleet',
      url: world.sandbox.fleet,
      apiKey: token,
      labels: [{ label: LABEL, blueprintId }],
    },
  });
  return { id, token };
}
