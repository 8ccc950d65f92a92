// The page on which somebody enters an enrollment code: nothing from elsewhere, works on a phone and without script.
import { createHash } from 'node:crypto';

const STYLE = `:root{color-scheme:light dark;font:100%/1.5 system-ui,sans-serif}
body{margin:0;background:Canvas;color:CanvasText}
main{max-width:28rem;margin:0 auto;padding:2rem 1.25rem}
header{display:flex;align-items:center;gap:.75rem;margin-bottom:1.5rem;font-weight:600}
header img{max-height:3rem;max-width:8rem}
h1{font-size:1.5rem;line-height:1.25}
h2{font-size:1.125rem;margin:2rem 0 .5rem}
h3{font-size:1rem;margin:1rem 0 .25rem}
ol{margin:0;padding-left:1.5rem}
li{margin:.25rem 0}
label{display:block;font-weight:600;margin:1.5rem 0 .375rem}
input,button{box-sizing:border-box;width:100%;min-height:3rem;padding:.5rem .75rem;font:inherit;border-radius:.5rem}
input{border:1px solid GrayText;background:Field;color:FieldText;letter-spacing:.08em;text-transform:uppercase}
button{margin-top:1rem;border:0;background:#0a4fb3;color:#fff;font-weight:600}
:focus-visible{outline:3px solid #1a73e8;outline-offset:2px}
#outcome{border-left:4px solid #0a4fb3;padding:.25rem .75rem}
.problem{border-left:4px solid #b3261e;padding:.25rem .75rem;margin:1rem 0}`;

/** `style-src` of the page's Content-Security-Policy. */
export const STYLE_SOURCE = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

export interface ShownOrganization {
  readonly name: string | null;
  readonly hasLogo: boolean;
}

/** @param problem what went wrong with the last try, one or two plain sentences of our own */
export function enrollPage(organization: ShownOrganization, problem?: string): string {
  const name = organization.name === null ? undefined : escaped(organization.name);
  const described = problem === undefined ? 'hint' : 'problem hint';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<script src="enroll.js" defer></script>
<title>${problem === undefined ? '' : 'Not enrolled: '}Enroll this device</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${headOf(organization.hasLogo, name)}<h1>Enroll this device</h1>
<p>${name ?? 'Your organization'} will manage this device. It can see the name, model, system, installed profiles and apps of the device, and sets up Okta Verify on it so that you can sign in without a password. It does not see your files, photos, messages or passwords.</p>
${problem === undefined ? '' : `<p class="problem" id="problem" role="alert">${problem}</p>\n`}<form method="post" action="enroll">
<label for="code">Enrollment code</label>
<input id="code" name="code" required maxlength="64" autocomplete="one-time-code" autocapitalize="characters" autocorrect="off" spellcheck="false" aria-describedby="${described}"${problem === undefined ? '' : ' aria-invalid="true"'}>
<p id="hint">You get the code from your admin. Upper or lower case, with or without dashes.</p>
<button>Download the profile</button>
</form>
<h2>What to click next</h2>
<h3>iPhone and iPad</h3>
<ol>
<li>Tap <b>Allow</b> when the device asks to download a profile.</li>
<li>Open <b>Settings</b>, then <b>Profile Downloaded</b> near the top (or General, VPN &amp; Device Management).</li>
<li>Tap <b>Install</b>, enter the device's passcode, then <b>Install</b> and <b>Trust</b>.</li>
</ol>
<h3>Mac</h3>
<ol>
<li>Open the downloaded file <b>enroll.mobileconfig</b>.</li>
<li>Open <b>System Settings</b>, <b>General</b>, <b>Device Management</b>.</li>
<li>Double-click the profile, then <b>Install</b>, and enter your password.</li>
</ol>
<p>That is all: Okta Verify arrives automatically. Install the profile within an hour. After that, or if you lose it, enter the code again to get a new one.</p>
<p id="outcome" role="status" hidden></p>
<h2>Was this device enrolled before?</h2>
<p>If someone erased it, or removed its profile while it was offline, the installation may fail. Ask your admin to allow this device to enroll again, then enter the same code again.</p>
<h2>Is the device already managed?</h2>
<p>A device can have only one MDM profile. If Settings shows another MDM profile, ask your admin before you remove it: removing it also removes what it installed, including apps and their data.</p>
</main>
</body>
</html>
`;
}

/** Whose page it is; nothing where nobody has said it. */
const headOf = (hasLogo: boolean, name: string | undefined): string =>
  hasLogo || name !== undefined
    ? `<header>${hasLogo ? '<img src="enroll/logo.png" alt="">' : ''}${name ?? ''}</header>\n`
    : '';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (letter) => ENTITIES[letter] ?? '');
