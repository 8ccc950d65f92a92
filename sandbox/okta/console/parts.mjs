// The pieces of the console's pages: values to copy, dialogs, menus, tables. Text never becomes markup.
import { act, button, call as callPath, element } from '/admin/shared/page.mjs';

export { act, button, element };

/** The tenant's own admin console as JSON. */
export const call = (method, path, body) => callPath(method, `/admin/api${path}`, body);

export const heading = (level, text) => element(`h${level}`, text);
export const paragraph = (text, className) => element('p', text, className ? { class: className } : {});
export const link = (text, href) => element('a', text, { href });

/** A value with its name and a button that copies it. */
export function copyValue(name, value) {
  const copy = button('Copy', async () => {
    await navigator.clipboard.writeText(value);
    copy.textContent = 'Copied';
    copy.setAttribute('aria-label', `Copied ${name}`);
  });
  copy.setAttribute('aria-label', `Copy ${name}`);
  return element('div', [element('span', `${name}:`), element('code', value), copy], { class: 'value' });
}

export const onlyOnce = (what) =>
  paragraph(`This is the only time you can view ${what}. Copy it to a safe place.`, 'once');

/** A radio or a checkbox with its label. */
export function choice(type, name, value, label, isChosen = false) {
  const input = element('input', [], { type, name, value });
  input.checked = isChosen;
  return element('label', [input, ` ${label}`]);
}

export const group = (title, choices) => element('fieldset', [element('legend', title), ...choices]);

export function field(label, attributes, name = 'input') {
  return element('label', [label, element(name, [], attributes)]);
}

export const table = (caption, columns, rows) =>
  element(
    'div',
    element('table', [
      element(
        'thead',
        element(
          'tr',
          columns.map((column) => element('th', column, { scope: 'col' })),
        ),
      ),
      element(
        'tbody',
        rows.map((cells) =>
          element(
            'tr',
            cells.map((cell) => element('td', cell)),
          ),
        ),
      ),
    ]),
    { class: 'scroll', role: 'region', 'aria-label': caption, tabindex: '0' },
  );

/** "Actions": opens a short list of buttons. */
export const actionsMenu = (of, buttons) =>
  element(
    'details',
    [element('summary', 'Actions', { 'aria-label': `Actions, ${of}` }), element('div', buttons)],
    { class: 'menu' },
  );

/**
 * A dialog; Escape and "Cancel" change nothing.
 * @param content drawn anew by `draw`
 * @returns draw and close
 */
export function openDialog(title) {
  const id = 'dialog-title';
  const dialog = element('dialog', [], { 'aria-labelledby': id });
  document.body.append(dialog);
  dialog.addEventListener('close', () => dialog.remove());
  const close = () => dialog.close();
  return {
    close,
    onClose: (work) => dialog.addEventListener('close', work),
    /** The last of `actions` is the one that the dialog is for. */
    draw: (content, actions) => {
      const problem = element('p', [], { role: 'alert', class: 'problem' });
      dialog.replaceChildren(
        element('h2', title, { id }),
        ...[content].flat(),
        problem,
        element('div', actions, { class: 'actions' }),
      );
      if (!dialog.open) dialog.showModal();
    },
    /** Runs an action and says in the dialog what is wrong with it. */
    attempt: async (work) => {
      const problem = dialog.querySelector('.problem');
      problem.textContent = '';
      try {
        await work();
      } catch (error) {
        problem.textContent = error instanceof Error ? error.message : String(error);
      }
    },
  };
}

export const cancelButton = (dialog, label = 'Cancel') => button(label, async () => dialog.close());

/** A question with one way that does it and one that does not, which is where the focus is. */
export function confirmDialog({ title, text, label, work }) {
  const dialog = openDialog(title);
  const cancel = cancelButton(dialog);
  cancel.autofocus = true;
  dialog.draw(paragraph(text), [
    cancel,
    button(label, () =>
      dialog.attempt(async () => {
        await work();
        dialog.close();
      }),
    ),
  ]);
}

/** What is shown once after an act. */
export function secretDialog({ title, name, value, done = 'Done', after }) {
  const dialog = openDialog(title);
  dialog.draw([onlyOnce(`the ${name.toLowerCase()}`), copyValue(name, value)], [cancelButton(dialog, done)]);
  if (after) dialog.onClose(after);
}

export const go = (address) => location.assign(address);

/** Which part of a page is shown: `?tab=`. */
export const tabOf = (tabs) => {
  const wanted = new URLSearchParams(location.search).get('tab');
  return tabs.some(({ id }) => id === wanted) ? wanted : tabs[0].id;
};

export const tabList = (label, tabs, current) =>
  element(
    'nav',
    tabs.map(({ id, title }) => {
      const tab = link(title, `?tab=${id}`);
      if (id === current) tab.setAttribute('aria-current', 'page');
      return tab;
    }),
    { class: 'tabs', 'aria-label': label },
  );
