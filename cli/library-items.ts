// `odette library-item`: the Okta Verify item of an integration, its switch and its blueprints.
import { InvalidArgumentError, Option, type Command } from 'commander';
import { jsonObjectOf } from '../domain/json.ts';
import { findBlueprint } from './blueprints.ts';
import { collect, confirm, jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { findIntegration } from './integration-reference.ts';
import type { ResponseOf, Body, OdetteClient } from './odette-client.ts';

type Item = ResponseOf<'get /api/library-items'>['items'][number];
type Preview = ResponseOf<'post /api/library-items/preview'>;
type SaveBody = Body<'post /api/library-items'>;

type Settings = NonNullable<SaveBody['settings']>;
type JsonObject = NonNullable<SaveBody['appConfiguration']>;

interface SaveOptions extends JsonOption {
  readonly integration?: string;
  /** false: `--no-blueprint` */
  readonly blueprint?: string[] | false;
  readonly enrollmentOptions?: Settings['enrollmentOptions'];
  readonly launchOptions?: Settings['launchOptions'];
  readonly managedPreferences?: JsonObject;
  readonly appConfiguration?: JsonObject;
  readonly removeApp?: 'on' | 'off';
  readonly deviceTrust?: 'on' | 'off';
  readonly appFromElsewhere?: 'on' | 'off';
  readonly certificateScope?: 'System' | 'User';
  readonly yes?: true;
  readonly preview?: true;
}

export function addLibraryItems(program: Command, line: CommandLine): void {
  const item = program
    .command('library-item')
    .description(
      'the library item Okta Verify: its blueprints, its settings, and the Okta Device Trust switch',
    );
  jsonCommand(item, 'list', 'lists library items: switch, device families, blueprints').action(
    async (options: JsonOption) => {
      const response = await (await line.connect()).call('get /api/library-items');
      line.show(options, response, () =>
        response.items.length === 0 ? ['No library items.'] : response.items.flatMap(itemLines),
      );
    },
  );
  jsonCommand(
    item,
    'save',
    'adds or changes the item of an Okta tenant; Odette sends the change to devices at once',
  )
    .option('--integration <name>', 'the Okta tenant: its name or host; needed if several are connected')
    .option(
      '--blueprint <name>',
      'assign to this blueprint (may be repeated) and no other; without it, assignments stay as they are',
      collect,
    )
    .option('--no-blueprint', 'assign to no blueprint')
    .addOption(
      new Option(
        '--device-trust <switch>',
        'the Okta Device Trust switch; without it, the switch stays as it is (off in a new item)',
      ).choices(['on', 'off']),
    )
    .addOption(
      new Option(
        '--app-from-elsewhere <switch>',
        'on: someone else installs Okta Verify on Macs (Platform SSO needs the package); Odette delivers everything else',
      ).choices(['on', 'off']),
    )
    .addOption(
      new Option(
        '--certificate-scope <scope>',
        'keychain of the certificate on Macs. System: the Mac has it before anybody logs in. User: the login keychain, where Okta Verify looks ' +
          'first; delivered, renewed and proven only while the user is logged in. After a change, Odette removes the old certificate once the new one is proven',
      ).choices(['System', 'User']),
    )
    .addOption(
      new Option(
        '--enrollment-options <value>',
        'OktaVerify.EnrollmentOptions on Macs: SilentEnrollmentEnabled opens Okta Verify with the organization filled in',
      ).choices(['SilentEnrollmentEnabled', 'SilentEnrollmentDisabled', 'Enabled', 'Disabled']),
    )
    .addOption(
      new Option(
        '--launch-options <value>',
        'OktaVerify.LaunchOptions on Macs: whether Okta Verify shows its window when it starts at login',
      ).choices(['HideMainWindow', 'none']),
    )
    .option(
      '--managed-preferences <json>',
      'further managed preferences of Okta Verify on Macs, as a JSON object; {} removes them',
      readJsonObject,
    )
    .option(
      '--app-configuration <json>',
      'managed app configuration of Okta Verify on iPhone and iPad while Okta Device Trust is off, as a JSON object; {} removes it',
      readJsonObject,
    )
    .addOption(
      new Option(
        '--remove-app <switch>',
        "on: Odette removes Okta Verify when a device goes out of scope, and with it the user's FastPass registration",
      ).choices(['on', 'off']),
    )
    .option('--preview', 'change nothing, only show what would happen')
    .option('--yes', 'do not ask for confirmation')
    .action(async (options: SaveOptions) => save(options, line));
}

/** @throws InvalidArgumentError not a JSON object */
function readJsonObject(text: string): JsonObject {
  const value = jsonObjectOf(text);
  if (value === undefined) throw new InvalidArgumentError('This is not a JSON object.');
  return value as JsonObject;
}

/** An empty object removes it. */
const unlessEmpty = (value: JsonObject): JsonObject | undefined =>
  Object.keys(value).length === 0 ? undefined : value;

async function save(options: SaveOptions, line: CommandLine): Promise<void> {
  const odette = await line.connect();
  const integration = await findIntegration(odette, options.integration);
  const { items } = await odette.call('get /api/library-items');
  const known = items.find(({ integrationId }) => integrationId === integration.id);
  const wanted = await bodyOf(odette, options, integration.id, known);
  const preview = await odette.call('post /api/library-items/preview', {
    body: { ...wanted, ...(known && { libraryItemId: known.id }) },
  });
  if (options.preview) return line.show(options, preview, () => previewLines(preview));
  if (!options.yes) await confirmPreview(preview, line);
  const body = {
    ...wanted,
    confirmAppConfigurationOverride: preview.needsConfirmation,
    confirmPolicyIsLifted: preview.usersLosingTrustTotal > 0,
  };
  const saved = known
    ? await odette.call('put /api/library-items/{id}', {
        params: { id: known.id },
        body,
        ifMatch: `"${known.version}"`,
      })
    : await odette.call('post /api/library-items', { body });
  line.show(options, saved, () => [...itemLines(saved), ...proposalLines(preview)]);
}

/** What is not said stays as it is. */
async function bodyOf(
  odette: OdetteClient,
  options: SaveOptions,
  integrationId: string,
  known: Item | undefined,
): Promise<SaveBody> {
  const { blueprint, deviceTrust, appConfiguration } = options;
  const blueprintIds: string[] = [];
  for (const name of blueprint || []) blueprintIds.push((await findBlueprint(odette, name)).id);
  return {
    integrationId,
    deviceTrustOn: deviceTrust === undefined ? (known?.deviceTrustOn ?? false) : deviceTrust === 'on',
    blueprintIds: blueprint === undefined ? (known?.blueprints.map(({ id }) => id) ?? []) : blueprintIds,
    ...(appConfiguration
      ? { appConfiguration: unlessEmpty(appConfiguration) ?? null }
      : known && { appConfiguration: known.appConfiguration }),
    settings: { ...known?.settings, ...settingsOf(options) },
  };
}

const settingsOf = (options: SaveOptions): Settings => ({
  ...(options.appFromElsewhere && { appComesFromElsewhere: options.appFromElsewhere === 'on' }),
  ...(options.removeApp && { removeAppOnRemoval: options.removeApp === 'on' }),
  ...(options.certificateScope && { certificateScope: options.certificateScope }),
  ...(options.enrollmentOptions && { enrollmentOptions: options.enrollmentOptions }),
  ...(options.launchOptions && { launchOptions: options.launchOptions }),
  ...(options.managedPreferences && { extraKeys: unlessEmpty(options.managedPreferences) }),
});

async function confirmPreview(
  { needsConfirmation, confirmation, leaving, usersLosingTrust, usersLosingTrustTotal: total }: Preview,
  { terminal }: CommandLine,
) {
  const part = usersLosingTrust.length < total ? ` (${usersLosingTrust.length} of ${total})` : '';
  const users =
    total === 0
      ? ''
      : ` These users lose trust${part}: ${usersLosingTrust.join(', ')}. A policy in Okta that requires managed devices locks them out: lift it first.`;
  if (leaving > 0)
    await confirm(
      terminal,
      `Odette removes the payloads from ${plural(leaving, 'device')}.${users} Continue?`,
    );
  if (needsConfirmation)
    await confirm(terminal, `${confirmation ?? 'Odette turns on Okta Device Trust.'} Continue?`);
}

function previewLines(preview: Preview): string[] {
  const { devices, unchanged, byFamily, leaving, licenses, usersAsked, confirmation } = preview;
  return [
    `Odette sends payloads to ${plural(devices, 'device')}: ${byFamily.Mac} Mac, ${byFamily.iPhone} iPhone, ${byFamily.iPad} iPad.`,
    ...(unchanged > 0 ? [`${plural(unchanged, 'device')} in scope: Odette sends nothing new.`] : []),
    ...(leaving > 0 ? [`Odette removes payloads from ${plural(leaving, 'device')}.`] : []),
    ...(preview.appsAndBooksToken === null
      ? []
      : [`Okta Verify licenses: ${licenses.needed} needed, ${licenses.left ?? 'an unknown number'} left.`]),
    ...(usersAsked > 0 ? [`${plural(usersAsked, 'user')} must accept the app.`] : []),
    ...[preview.pushCertificate, preview.appsAndBooksToken].flatMap((part) =>
      part?.failure ? [`! ${part.text ?? part.failure.title} ${part.failure.remedy}`] : [],
    ),
    ...(confirmation === null ? [] : [`Needs confirmation: ${confirmation}`]),
    ...proposalLines(preview),
  ];
}

const proposalLines = ({ testBlueprint }: Preview): string[] =>
  testBlueprint === null
    ? []
    : [
        `Advice: ${testBlueprint.reason}`,
        `  odette blueprint create '${testBlueprint.name}', then --blueprint '${testBlueprint.name}'`,
      ];

const itemLines = ({ name, oktaDomain, deviceTrustOn, families, blueprints }: Item): string[] => [
  `${name} for ${oktaDomain}: Okta Device Trust is ${deviceTrustOn ? 'on' : 'off'}.`,
  `  Device families: ${families.join(', ') || 'none'}`,
  `  Blueprints: ${blueprints.map((one) => `${one.name} (${plural(one.devices, 'device')})`).join(', ') || 'none'}`,
];
