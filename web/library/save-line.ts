// The command that saves the library item as it is drafted: switch and blueprints always, a setting where it changes.
import { odetteLine } from '../odette-line.ts';
import { draftOf, readConfiguration, type Item, type ItemDraft } from './item-draft.ts';

export function saveLine(draft: ItemDraft, integrationId: string, item: Item | undefined): string {
  const saved = draftOf(item);
  const changed = (
    name: 'enrollmentOptions' | 'launchOptions' | 'certificateScope',
    flag: `--${string}`,
  ): readonly [`--${string}`, string | undefined] => [
    flag,
    draft[name] === saved[name] ? undefined : draft[name],
  ];
  const switched = (
    name: 'appComesFromElsewhere' | 'removeAppOnRemoval',
    flag: `--${string}`,
  ): readonly [`--${string}`, string | undefined] => [
    flag,
    draft[name] === saved[name] ? undefined : draft[name] ? 'on' : 'off',
  ];
  const written = (
    name: 'extraKeys' | 'appConfiguration',
    flag: `--${string}`,
  ): readonly [`--${string}`, string | undefined] => [
    flag,
    draft[name] === saved[name] ? undefined : JSON.stringify(readConfiguration(draft[name]) ?? {}),
  ];
  return odetteLine(
    ['library-item', 'save'],
    ['--integration', integrationId],
    ...(draft.blueprintIds.length === 0
      ? [['--no-blueprint'] as const]
      : draft.blueprintIds.map((id) => ['--blueprint', id] as const)),
    ['--device-trust', draft.deviceTrustOn ? 'on' : 'off'],
    changed('enrollmentOptions', '--enrollment-options'),
    changed('launchOptions', '--launch-options'),
    changed('certificateScope', '--certificate-scope'),
    switched('appComesFromElsewhere', '--app-from-elsewhere'),
    switched('removeAppOnRemoval', '--remove-app'),
    written('extraKeys', '--managed-preferences'),
    written('appConfiguration', '--app-configuration'),
  );
}
