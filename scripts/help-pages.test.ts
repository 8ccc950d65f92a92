// The pages of docs/ that the console serves, and the links that lead to them.
import { readdir, readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { helpPages } from './help-pages.mjs';

const WEB = new URL('../web/', import.meta.url);
let pages: Awaited<ReturnType<typeof helpPages>>;
beforeAll(async () => {
  pages = await helpPages();
});

/** `page` or `page#part`; undefined: it leads somewhere. */
function missing(target: string): string | undefined {
  const [name = '', part] = target.split('#');
  const html = pages[name]?.html;
  const isThere = html !== undefined && (part === undefined || html.includes(` id="${part}"`));
  return isThere ? undefined : target;
}

test('every help link of the console leads to a page and a part that are there', async () => {
  const files = (await readdir(WEB, { recursive: true })).filter(
    (name) => name.endsWith('.tsx') && !name.startsWith('dist') && !name.startsWith('node_modules'),
  );
  const sources = await Promise.all(files.map((name) => readFile(new URL(name, WEB), 'utf8')));
  const targets = sources.flatMap((source) =>
    [...source.matchAll(/\bhelp(?:="|: ')([^"']+)["']|'([a-z-]+#[a-z0-9-]+)'/g)].map(
      ([, target, part = '']) => target ?? part,
    ),
  );
  expect(targets.length).toBeGreaterThan(25);
  expect(targets.map(missing).filter(Boolean)).toEqual([]);
});

test('every page of the console has one, but those that stand for a page', async () => {
  const files = (await readdir(WEB, { recursive: true })).filter((name) => name.endsWith('.tsx'));
  const without: string[] = [];
  for (const name of files) {
    const source = await readFile(new URL(name, WEB), 'utf8');
    if (/<Page\s/.test(source) && !/\bhelp=/.test(source)) without.push(name);
  }
  expect(without.sort()).toEqual(['shell/not-found.tsx', 'shell/page-failed.tsx']);
});

test('links between the pages hold, and nothing but text and links comes from them', () => {
  for (const [name, { html }] of Object.entries(pages)) {
    const links = [...html.matchAll(/<a href="([^"]+)"/g)].map(([, address = '']) => address);
    const inside = links
      .filter((address) => !/^(https?:|\/|\.\/)/.test(address))
      .map((address) => (address.startsWith('#') ? name + address : address));
    expect(inside.map(missing).filter(Boolean), name).toEqual([]);
    expect(html).not.toMatch(/<script|<img|\son\w+=|style=/);
  }
});

test('a page says its title, marks its headings and keeps tables and commands', () => {
  expect(pages['operations-guide']?.title).toBe('Operations guide');
  const guide = pages['operations-guide']?.html ?? '';
  expect(guide).toContain('<h2 id="replaying-a-failed-rollout">Replaying a failed rollout</h2>');
  expect(guide).toContain('<pre tabindex="0"><code>npx odette rollout failures');
  expect(pages['errors']?.html).toContain('<td><code>mdm.device_silent</code></td>');
  expect(pages['index']?.html).toContain('<a href="quickstart">Quickstart</a>');
});
