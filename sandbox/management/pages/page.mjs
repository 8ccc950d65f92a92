// What the sandbox's pages share: calls of their own origin, and small pieces of page. Text never becomes markup.

/** @param {string} method @param {string} path @param {object} [body] */
export async function call(method, path, body) {
  const given = body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(path, {
    method,
    ...given,
    headers: { Accept: 'application/json', ...given?.headers },
  });
  const text = await response.text();
  const content = text === '' ? {} : JSON.parse(text);
  if (!response.ok) throw new Error(content.error ?? `${method} ${path}: ${response.status}`);
  return content;
}

/** Runs an action of the user and shows what went wrong with it. */
export async function act(action) {
  const problem = document.querySelector('#problem');
  problem.textContent = '';
  try {
    await action();
  } catch (error) {
    problem.textContent = error instanceof Error ? error.message : String(error);
  }
}

export function element(name, content = [], attributes = {}) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...[content].flat().map((one) => (one instanceof Node ? one : String(one ?? ''))));
  return made;
}

export function button(label, action) {
  const made = element('button', label, { type: 'button' });
  made.addEventListener('click', () => void act(action));
  return made;
}

/** Fills a table's body: one list of cells a row. */
export const fillTable = (selector, rows) =>
  document.querySelector(selector).replaceChildren(
    ...rows.map((cells) =>
      element(
        'tr',
        cells.map((cell) => element('td', cell)),
      ),
    ),
  );

export function onSubmit(selector, action) {
  const form = document.querySelector(selector);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void act(() => action(Object.fromEntries(new FormData(form)), form));
  });
}

/** Looks now and every few seconds, while the page is seen. */
export function keepLooking(look, everyMs = 2000) {
  const again = () => (document.hidden ? undefined : look().catch(() => undefined));
  void act(look);
  setInterval(again, everyMs);
}

/** Fills in where Odette's devices enroll, as the enrolled ones know it, unless the user has typed something. */
export async function suggestServer(selector) {
  const { devices } = await call('GET', '/devices');
  const server = devices.find((device) => device.mdmServer)?.mdmServer;
  const input = document.querySelector(selector);
  if (server && input.value === input.defaultValue) input.value = input.defaultValue = server;
}
