// "Add platform": select the platform, configure management attestation, save. Nothing is there before Save.
import {
  act,
  button,
  call,
  cancelButton,
  choice,
  copyValue,
  element,
  field,
  group,
  onlyOnce,
  openDialog,
  paragraph,
} from './parts.mjs';

const STEPS = ['Select platform', 'Configure management attestation'];

const stepList = (current) =>
  element(
    'ol',
    STEPS.map((step, index) =>
      element('li', `${index + 1}. ${step}`, index === current ? { 'aria-current': 'step' } : {}),
    ),
    { class: 'steps' },
  );

const chosenIn = (part) => part.querySelector(':checked')?.value;

export function addPlatform({ tenant, show }) {
  const dialog = openDialog('Add device management platform');
  const save = (work) =>
    button('Save', () =>
      dialog.attempt(async () => {
        await work();
        dialog.close();
        await show();
      }),
    );
  const selectPlatform = () => {
    const platforms = group('Platform', [
      choice('radio', 'platform', 'desktop', 'Desktop (Windows and macOS only)'),
      choice('radio', 'platform', 'ios', 'iOS'),
      choice('radio', 'platform', 'android', 'Android'),
    ]);
    dialog.draw(
      [stepList(0), platforms],
      [
        cancelButton(dialog),
        button('Next', () =>
          dialog.attempt(async () => {
            const platform = chosenIn(platforms);
            if (platform === undefined) throw new Error('Select a platform.');
            if (platform === 'android') throw new Error('Odette manages Apple devices only.');
            const taken = platform === 'ios' ? 'iOS' : 'macOS';
            if (tenant.platforms.some((one) => one.platform === taken))
              throw new Error(`There is an integration of ${taken} already. Okta supports one.`);
            await (platform === 'ios' ? configureIos() : configureDesktop());
          }),
        ),
      ],
    );
  };
  const configureDesktop = async () => {
    let generated;
    const values = element('div');
    const authority = group('Certificate authority', [
      choice('radio', 'authority', 'own', 'Use my own certificate authority'),
      choice('radio', 'authority', 'okta', 'Use Okta as certificate authority'),
    ]);
    const challenge = group('SCEP URL challenge type', [
      choice('radio', 'challenge', 'static', 'Static SCEP URL'),
      choice('radio', 'challenge', 'dynamic', 'Dynamic SCEP URL'),
    ]);
    const kind = group('Dynamic SCEP URL for', [
      choice('radio', 'kind', 'generic', 'Generic'),
      choice('radio', 'kind', 'intune', 'Microsoft Intune (delegated SCEP)'),
    ]);
    const generate = button('Generate', () =>
      dialog.attempt(async () => {
        if (chosenIn(authority) !== 'okta')
          throw new Error(
            'Odette delivers certificates of Okta’s authority: use Okta as certificate authority.',
          );
        if (chosenIn(challenge) !== 'dynamic' || chosenIn(kind) !== 'generic')
          throw new Error('Odette needs the dynamic SCEP URL, Generic.');
        generated = await call('POST', '/platforms/macos/generate', {});
        values.replaceChildren(
          copyValue('SCEP URL', generated.scepUrl),
          copyValue('Challenge URL', generated.challengeUrl),
          copyValue('Username', generated.username),
          copyValue('Password', generated.password),
          onlyOnce('the password'),
        );
      }),
    );
    generate.setAttribute('aria-label', 'Generate SCEP URL');
    dialog.draw(
      [
        stepList(1),
        authority,
        challenge,
        kind,
        element('div', [element('span', 'SCEP URL'), generate], { class: 'value' }),
        values,
      ],
      [
        button('Back', async () => selectPlatform()),
        cancelButton(dialog),
        save(async () => {
          if (generated === undefined) throw new Error('Generate the SCEP URL first.');
          const { id, username, password } = generated;
          await call('POST', '/platforms/macos', { id, username, password });
        }),
      ],
    );
  };
  const configureIos = async () => {
    const { secretKey } = await call('POST', '/platforms/ios/generate', {});
    const provider = field('Device management provider', { name: 'providerName', required: '' });
    const enrollment = field('Enrollment link', { name: 'enrollmentLink', type: 'url', required: '' });
    const form = element('form', [provider, enrollment]);
    form.addEventListener('submit', (event) => event.preventDefault());
    dialog.draw(
      [
        stepList(1),
        copyValue('Secret key', secretKey),
        onlyOnce('the secret key'),
        form,
        paragraph('Users whose device is not managed see the provider and are sent to the link.', 'hint'),
      ],
      [
        button('Back', async () => selectPlatform()),
        cancelButton(dialog),
        save(async () => {
          if (!form.reportValidity()) throw new Error('Enter the provider and the enrollment link.');
          const { providerName, enrollmentLink } = Object.fromEntries(new FormData(form));
          await call('POST', '/platforms/ios', { secretKey, providerName, enrollmentLink });
        }),
      ],
    );
  };
  void act(async () => selectPlatform());
}
