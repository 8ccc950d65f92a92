// The page on which somebody enters an enrollment code: no script, nothing from elsewhere, works on a phone.
import { createHash } from 'node:crypto';

const STYLE = `:root{color-scheme:light dark;font:100%/1.5 system-ui,sans-serif}
body{margin:0;background:Canvas;color:CanvasText}
main{max-width:28rem;margin:0 auto;padding:2rem 1.25rem}
h1{font-size:1.5rem;line-height:1.25}
label{display:block;font-weight:600;margin:1.5rem 0 .375rem}
input,button{box-sizing:border-box;width:100%;min-height:3rem;padding:.5rem .75rem;font:inherit;border-radius:.5rem}
input{border:1px solid GrayText;background:Field;color:FieldText;letter-spacing:.08em;text-transform:uppercase}
button{margin-top:1rem;border:0;background:#0a4fb3;color:#fff;font-weight:600}
:focus-visible{outline:3px solid #1a73e8;outline-offset:2px}
.problem{border-left:4px solid #b3261e;padding:.25rem .75rem;margin:1rem 0}`;

/** `style-src` of the page's Content-Security-Policy. */
export const STYLE_SOURCE = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

/** @param problem what went wrong with the last try, one or two plain sentences of our own */
export function enrollPage(problem?: string): string {
  const described = problem === undefined ? 'hint' : 'problem hint';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${problem === undefined ? '' : 'Not enrolled: '}Enroll this device</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Enroll this device</h1>
<p>Your organisation will manage this device and set up Okta Verify on it.</p>
${problem === undefined ? '' : `<p class="problem" id="problem" role="alert">${problem}</p>\n`}<form method="post" action="enroll">
<label for="code">Enrollment code</label>
<input id="code" name="code" required maxlength="64" autocomplete="one-time-code" autocapitalize="characters" autocorrect="off" spellcheck="false" aria-describedby="${described}"${problem === undefined ? '' : ' aria-invalid="true"'}>
<p id="hint">You get the code from your admin. Small or capital letters, with or without dashes.</p>
<button>Download the profile</button>
</form>
<p>Then open <b>Settings</b> (on a Mac: <b>System Settings</b>) and install the downloaded profile.</p>
</main>
</body>
</html>
`;
}
