// What the wizard tells an admin at each step: what to do in Okta, by its click path, and what Okta shows only once.
import {
  answerTo,
  OKTA_SCOPES,
  type PrerequisiteCheck,
  type PrerequisiteId,
  type SetupState,
  type SetupStep,
} from './setup-wizard.ts';

interface GuideTask {
  readonly text: string;
  readonly copy?: { readonly label: string; readonly value: string };
  readonly link?: string;
}

export interface StepGuide {
  readonly step: SetupStep;
  readonly title: string;
  readonly intro: string;
  readonly tasks: readonly GuideTask[];
  readonly shownOnce: readonly string[];
  readonly warning?: string;
}

export const STEP_TITLES: Readonly<Record<SetupStep, string>> = {
  get_started: 'Welcome to Okta Device Trust',
  okta_domain: 'Specify your Okta domain',
  install_api_integration: 'Sign in with Okta',
  credentials: 'API service integration credentials',
  connect: 'Connect to Okta',
  device_integrations: 'Complete the following tasks in Okta',
  platforms: 'Configure device platforms',
  macos: 'Add macOS as a device platform',
  ios: 'Add iOS as a device platform',
  complete: 'Okta Device Trust setup complete',
};

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

const scopeTasks: readonly GuideTask[] = [
  {
    text: 'Check that these scopes are granted.',
    copy: { label: 'Scopes', value: OKTA_SCOPES.join(' ') },
  },
];

const linkTask = (text: string, { enrollmentLink }: GuideFacts): GuideTask =>
  enrollmentLink === null
    ? {
        text: 'Odette has no enrollment link yet. Set ODETTE_PUBLIC_URL to the https address where devices reach Odette, restart Odette, and come back. The setup waits here.',
      }
    : { text, copy: { label: 'Enrollment link', value: enrollmentLink } };

function installGuide(consoleUrl: string | undefined): GuideBody {
  return {
    intro:
      'Odette needs credentials of its own in your Okta tenant. Choose how: an API service integration (only where Odette is listed in the Okta Integration Network), or an API Services app of your own, which works in every tenant.',
    tasks: [
      {
        text: 'Sign in to the Okta admin console as a super admin.',
        ...(consoleUrl && { link: consoleUrl }),
      },
      {
        text: 'API service integration: Applications > API Service Integrations > Add integration > Odette > Install & Authorize.',
      },
      {
        text: 'API Services app: Applications > Applications > Create App Integration > API Services. The next step shows the public key to paste.',
      },
      ...scopeTasks,
    ],
    shownOnce: [
      'Client secret of the API service integration: copy it to a safe place before you click Done.',
    ],
    warning: 'The Okta user must have the super admin role.',
  };
}

function credentialsGuide(state: SetupState): GuideBody {
  const answer = answerTo(state, 'install_api_integration');
  if (answer?.credentialsKind !== 'api_services_app')
    return {
      intro: 'Enter the client ID and the client secret that Okta showed.',
      tasks: [
        { text: 'The client ID stands on the overview page of the integration.' },
        { text: 'The client secret was shown once. If it is lost, create a new one there.' },
        ...scopeTasks,
      ],
      shownOnce: ['Client secret'],
    };
  const jwk = JSON.stringify(answer.publicJwk ?? {}, null, 2);
  return {
    intro:
      'Give your API Services app the public key, the scopes and an admin role; then enter its client ID.',
    tasks: [
      {
        text: 'General > Client Credentials > Edit > Public key / Private key > Add key: paste this public key, then Done and Save.',
        copy: { label: 'Public key (JWK)', value: jwk },
      },
      {
        text: 'General > General Settings: "Require Demonstrating Proof of Possession (DPoP) header" may stay on.',
      },
      { text: 'Okta API Scopes: grant the scopes.', copy: { label: 'Scopes', value: OKTA_SCOPES.join(' ') } },
      { text: 'Admin roles > Edit assignments: assign a role that may view devices and authenticators.' },
      { text: 'Copy the client ID from General > Client Credentials.' },
    ],
    shownOnce: [],
  };
}

function deviceIntegrationsGuide(consoleUrl: string | undefined, facts: GuideFacts): GuideBody {
  return {
    intro:
      'Create a device integration in Okta for each platform you want. The next steps ask for what Okta shows there.',
    tasks: [
      {
        text: 'Security > Device integrations > Endpoint management > Add platform.',
        ...(consoleUrl && { link: `${consoleUrl}/access/device-integrations` }),
      },
      {
        text: 'macOS: Desktop (Windows and macOS only) > Next > Use Okta as certificate authority > Dynamic SCEP URL > Generic > Generate. Copy SCEP URL, Challenge URL, Username and Password, then Save.',
      },
      { text: 'iOS and iPadOS: iOS > Next. Copy the secret key.' },
      {
        text: 'Device management provider (shown to users):',
        copy: { label: 'Device management provider', value: facts.providerName },
      },
      linkTask('Enrollment link:', facts),
      { text: 'Save.' },
    ],
    shownOnce: ['macOS: the password of the challenge URL', 'iOS: the secret key'],
    warning: WRONG_TAB,
  };
}

function guideBody(step: SetupStep, state: SetupState, facts: GuideFacts): GuideBody {
  const host = state.tenant?.host;
  const consoleUrl = host === undefined ? undefined : `https://${host}/admin`;
  switch (step) {
    case 'get_started':
      return simple(
        'Okta Device Trust lets only devices that Odette manages reach apps protected by Okta, and lets their users sign in with FastPass.',
        'Your tenant must run Okta Identity Engine, with Okta Verify and Okta FastPass active, and Adaptive MFA.',
        'Okta Verify must be licensed in Apps and Books (Apple Business Manager), free of charge.',
        'You need an Okta user with the super admin role.',
      );
    case 'okta_domain':
      return simple('Enter the address of your Okta tenant, e.g. acme.okta.com.');
    case 'install_api_integration':
      return installGuide(consoleUrl);
    case 'credentials':
      return credentialsGuide(state);
    case 'connect':
      return simple(
        'Odette checks what Okta Device Trust needs. Tick what cannot be checked once you have looked.',
      );
    case 'device_integrations':
      return deviceIntegrationsGuide(consoleUrl, facts);
    case 'platforms':
      return simple(
        'Select the platforms that you added in Okta: macOS, iOS (which covers iPadOS), or both.',
      );
    case 'macos':
      return {
        intro:
          'Enter what Okta showed for the macOS platform. Odette asks the SCEP URL for its certificate and fetches one challenge.',
        tasks: [],
        shownOnce: ['Password: if it is lost, Actions > Reset password gives a new one.'],
        warning: WRONG_TAB,
      };
    case 'ios':
      return {
        intro:
          'Enter what Okta showed for the iOS platform. The key cannot be checked from here: copy it exactly.',
        tasks: [linkTask('Enrollment link, if Okta does not have it yet:', facts)],
        shownOnce: ['Secret key: if it is lost, Actions > Reset secret key gives a new one.'],
      };
    case 'complete':
      return {
        intro:
          'The connection is ready. Go to the library item to deliver Okta Verify, or view the integration settings.',
        tasks: [
          {
            text: 'Library > Okta Verify: assign it to a test blueprint with few devices first, and turn Okta Device Trust on.',
          },
          {
            text: 'Then, in Okta: Security > Authentication Policies > the policy of one test app > Add rule > Device state is Registered > Device management is Managed > Save.',
          },
        ],
        shownOnce: [],
        warning:
          "Nothing is enforced in Okta yet: an app sign-in rule does that. Try it on one test app, and keep Odette's own sign-in out of it, or you may lock yourself out.",
      };
  }
}

export function guideOf(step: SetupStep, state: SetupState, facts: GuideFacts): StepGuide {
  return { step, title: STEP_TITLES[step], ...guideBody(step, state, facts) };
}

export const PREREQUISITE_TEXTS: Readonly<
  Record<PrerequisiteId, { readonly title: string; readonly remedy: string }>
> = {
  token: {
    title: 'Okta accepts the credentials',
    remedy: 'Go back to the credentials and enter them again.',
  },
  scopes: {
    title: 'The scopes are granted',
    remedy: `Grant ${OKTA_SCOPES.join(', ')} to the integration or app in Okta, then check again.`,
  },
  devices_readable: {
    title: 'Okta shows Odette the devices',
    remedy:
      'Give the app an admin role that may view devices, as well as authenticators: Okta admin console > Applications > the app > Admin roles.',
  },
  identity_engine: {
    title: 'The tenant runs Okta Identity Engine',
    remedy: 'Upgrade the tenant: Okta admin console > Dashboard > OIE upgrade hub.',
  },
  okta_verify_active: {
    title: 'Okta Verify is active',
    remedy: 'Okta admin console > Security > Authenticators > Add authenticator > Okta Verify.',
  },
  fastpass_active: {
    title: 'Okta FastPass is active',
    remedy:
      'Okta admin console > Security > Authenticators > Okta Verify > Actions > Edit > Okta FastPass (all platforms).',
  },
  okta_verify_licenses: {
    title: 'Licenses of Okta Verify in Apps and Books',
    remedy:
      'Apple Business Manager > Apps and Books > Okta Verify > get licenses (free of charge); then upload the token: odette apps-and-books set FILE.',
  },
  adaptive_mfa: {
    title: 'The tenant has Adaptive MFA',
    remedy: 'Okta shows Security > Device integrations only with Adaptive MFA. Look there, then tick this.',
  },
};

/** A check that could not be made may be confirmed by the admin. */
export const canBeConfirmed = ({ result }: PrerequisiteCheck): boolean => result === 'not_checked';
