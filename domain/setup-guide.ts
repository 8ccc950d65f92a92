// What the wizard tells an admin at each step: what to do in Okta, by its click path, and what Okta shows only once.
import { otherServerName } from './channel-words.ts';
import { adminConsoleOf } from './okta-admin-console.ts';
import { answerTo, channelOf, OKTA_SCOPES, type SetupState, type SetupStep } from './setup-wizard.ts';

interface GuideTask {
  readonly text: string;
  readonly copy?: { readonly label: string; readonly value: string };
  readonly link?: { readonly label: string; readonly url: string };
}

export interface StepGuide {
  readonly step: SetupStep;
  readonly title: string;
  readonly intro: string;
  readonly tasks: readonly GuideTask[];
  readonly shownOnce: readonly string[];
  readonly warning?: string;
}

const STEP_TITLES: Readonly<Record<SetupStep, string>> = {
  get_started: 'Welcome to Okta Device Trust',
  okta_domain: 'Specify your Okta domain',
  credentials_kind: 'Sign in with Okta',
  okta_tasks: 'Complete the following tasks in Okta',
  credentials: 'API service integration credentials',
  connect: 'Connect to Okta',
  platforms: 'Configure device platforms',
  macos: 'Add macOS as a device platform',
  ios: 'Add iOS as a device platform',
  complete: 'Okta Device Trust setup complete',
};

/** The credentials are called as Okta calls what they belong to, once their kind is chosen. */
export function titleOf(step: SetupStep, state: SetupState): string {
  if (step !== 'credentials') return STEP_TITLES[step];
  if (answerTo(state, 'credentials_kind') === undefined) return 'Credentials';
  return isOwnApp(state) ? 'API Services app credentials' : STEP_TITLES.credentials;
}

const isOwnApp = (state: SetupState): boolean =>
  answerTo(state, 'credentials_kind')?.credentialsKind === 'api_services_app';

const WRONG_TAB =
  'Use the "Endpoint management" tab. The "Device Access" tab shows similar values that never make a device managed.';

interface GuideFacts {
  /** Null: there is none yet, and none may be pasted into Okta. */
  readonly enrollmentLink: string | null;
  readonly providerName: string;
}

type GuideBody = Omit<StepGuide, 'step' | 'title'>;

const simple = (intro: string, ...tasks: string[]): GuideBody => ({
  intro,
  tasks: tasks.map((text) => ({ text })),
  shownOnce: [],
});

/** Where users are sent who sign in on a device that is not managed: to the server that manages it. */
const linkTask = (text: string, state: SetupState, { enrollmentLink }: GuideFacts): GuideTask => {
  const name = otherServerName(channelOf(state));
  if (name !== undefined) return { text: `${text} the page where your users enroll in ${name}.` };
  return enrollmentLink === null
    ? {
        text: 'Odette has no enrollment link yet. Set ODETTE_PUBLIC_URL to the https address where devices reach Odette, restart Odette, and come back. The setup waits here.',
      }
    : { text, copy: { label: 'Enrollment link', value: enrollmentLink } };
};

const consoleTask = (text: string, state: SetupState, label = 'Open Okta in a new window'): GuideTask => ({
  text,
  ...(state.tenant && { link: { label, url: adminConsoleOf(state.tenant.host) } }),
});

const credentialsKindGuide = (state: SetupState): GuideBody => ({
  intro:
    'Odette needs its own credentials in your Okta tenant. Choose the kind; the next step shows what to click.',
  tasks: [consoleTask('Sign in to the Okta admin console.', state, 'Sign in with Okta')],
  shownOnce: [],
  warning: 'The Okta user must have the super admin role.',
});

const scopes = { label: 'Scopes', value: OKTA_SCOPES.join(' ') };

const publicKeyOf = (state: SetupState) => ({
  label: 'Public key (JWK)',
  value: JSON.stringify(answerTo(state, 'credentials_kind')?.publicJwk ?? {}, null, 2),
});

function integrationTasks(state: SetupState): GuideBody {
  return {
    intro: 'Install the API service integration. The next step asks for its client ID and client secret.',
    tasks: [
      consoleTask('Applications > API Service Integrations > Add integration > Odette Device Trust.', state),
      { text: 'Check that these scopes are listed, then Install & Authorize.', copy: scopes },
      { text: 'Copy the client secret to a safe place, then Done.' },
      { text: 'Copy the client ID from the overview page of the integration.' },
    ],
    shownOnce: ['Client secret: copy it before you click Done.'],
  };
}

function ownAppTasks(state: SetupState): GuideBody {
  return {
    intro:
      'Create an API Services app, and give it the public key, the scopes and an admin role. The next step asks for its client ID.',
    tasks: [
      consoleTask('Applications > Applications > Create App Integration > API Services > Next.', state),
      { text: 'Enter a name, e.g. Odette, then Save.' },
      {
        text: 'General > Client Credentials > Edit > Public key / Private key > Add key: paste this public key, then Done and Save.',
        copy: publicKeyOf(state),
      },
      {
        text: 'General > General Settings: "Require Demonstrating Proof of Possession (DPoP) header" can stay on.',
      },
      { text: 'Okta API Scopes: grant these scopes.', copy: scopes },
      {
        text: 'Security > Administrators > Roles > Create new role: a role that can view devices and authenticators.',
      },
      { text: 'The app > Admin roles > Edit assignments: assign this role, then Save changes.' },
      { text: 'Copy the client ID from General > Client Credentials.' },
    ],
    shownOnce: [],
  };
}

function credentialsGuide(state: SetupState): GuideBody {
  if (isOwnApp(state))
    return {
      intro:
        'Enter the client ID of your API Services app. Odette signs in with the key that you pasted into Okta.',
      tasks: [
        { text: 'The client ID is in the app, under General > Client Credentials.' },
        { text: 'The public key, if the app does not have it yet:', copy: publicKeyOf(state) },
      ],
      shownOnce: [],
    };
  return {
    intro: 'Enter the client ID and the client secret that Okta showed.',
    tasks: [
      { text: 'The client ID is on the overview page of the integration.' },
      { text: 'Okta showed the client secret only once. If you lost it, create a new one there.' },
    ],
    shownOnce: [],
  };
}

function platformsGuide(state: SetupState, facts: GuideFacts): GuideBody {
  return {
    intro:
      'Create a device integration in Okta for each platform you want, then select the platforms here: macOS, iOS (which covers iPadOS), or both. The next steps ask for the values that Okta shows.',
    tasks: [
      consoleTask('Security > Device integrations > Endpoint management > Add platform.', state),
      {
        text: 'macOS: Desktop (Windows and macOS only) > Next > Use Okta as certificate authority > Dynamic SCEP URL > Generic > Generate. Copy SCEP URL, Challenge URL, Username and Password, then Save.',
      },
      {
        text: 'iOS and iPadOS: Add platform > iOS > Next. Copy the secret key, and enter the device management provider, which users see.',
        copy: { label: 'Device management provider', value: facts.providerName },
      },
      linkTask('Enrollment link, then Save:', state, facts),
    ],
    shownOnce: ['macOS: the password of the challenge URL', 'iOS: the secret key'],
    warning: WRONG_TAB,
  };
}

function addChannelTask(state: SetupState): GuideTask[] {
  const name = otherServerName(channelOf(state));
  if (name === undefined) return [];
  return [
    {
      text: `Channels > Add channel: add the ${name} server if it is not listed yet (odette channel create).`,
    },
  ];
}

function guideBody(step: SetupStep, state: SetupState, facts: GuideFacts): GuideBody {
  switch (step) {
    case 'get_started':
      return simple(
        'Okta Device Trust lets only devices that Odette manages reach apps protected by Okta, and lets their users sign in with FastPass. First choose how Odette reaches your devices: a device has only one MDM server.',
        'Choose a channel. You can change it later. The Channels page and the command odette channel kinds show what each channel can and cannot do.',
        'Your tenant must run Okta Identity Engine, with Okta Verify and Okta FastPass active, and Adaptive MFA.',
        'Unless you choose Observe only, you need Okta Verify licenses in Apps and Books (Apple Business Manager). They are free of charge.',
        'You need an Okta user with the super admin role.',
      );
    case 'okta_domain':
      return simple('Enter the address of your Okta tenant, e.g. acme.okta.com.');
    case 'credentials_kind':
      return credentialsKindGuide(state);
    case 'credentials':
      return credentialsGuide(state);
    case 'connect':
      return simple(
        'Odette checks what Okta Device Trust needs. Odette cannot check some items: check them yourself, then tick them.',
      );
    case 'okta_tasks':
      return isOwnApp(state) ? ownAppTasks(state) : integrationTasks(state);
    case 'platforms':
      return platformsGuide(state, facts);
    case 'macos':
      return {
        intro:
          'Enter the values that Okta showed for the macOS platform. Odette asks the SCEP URL for its certificate and fetches one challenge.',
        tasks: [],
        shownOnce: ['Password: if you lost it, get a new one with Actions > Reset password.'],
        warning: WRONG_TAB,
      };
    case 'ios':
      return {
        intro:
          'Enter the values that Okta showed for the iOS platform. Odette cannot check the key: copy it exactly.',
        tasks: [linkTask('Enrollment link, if Okta does not have it yet:', state, facts)],
        shownOnce: ['Secret key: if you lost it, get a new one with Actions > Reset secret key.'],
      };
    case 'complete':
      if (channelOf(state) === 'observe_only')
        return simple(
          'The connection is ready. Odette reads the devices of your tenant now, and again every few minutes.',
          'Integration > Observed devices: what Okta says about each device, and what would help.',
          'Integration > Enforcement readiness: who would be locked out if a policy required a managed device.',
        );
      return {
        intro:
          'The connection is ready. Go to the library item to deliver Okta Verify, or view the integration settings.',
        tasks: [
          ...addChannelTask(state),
          {
            text: 'Library > Okta Verify: assign it to a test blueprint with few devices first, and turn Okta Device Trust on.',
          },
          {
            text: 'Then, in Okta: Security > Authentication Policies > the policy of one test app > Add rule > Device state is Registered > Device management is Managed > Save.',
          },
        ],
        shownOnce: [],
        warning:
          "Okta enforces nothing until you add an app sign-in rule. Try the rule on one test app, and exclude Odette's own sign-in, or you may lock yourself out.",
      };
  }
}

export function guideOf(step: SetupStep, state: SetupState, facts: GuideFacts): StepGuide {
  return { step, title: titleOf(step, state), ...guideBody(step, state, facts) };
}
