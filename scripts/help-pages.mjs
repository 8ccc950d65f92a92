// The pages of docs/ as the console serves them under /help/: one HTML file each, without a script, and a list of them. They are read by the
// parser of prettier, which formats them too, so that no further package reads Markdown here.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const DOCS = fileURLToPath(new URL('../docs/', import.meta.url));
/** For those who change Odette. */
const NOT_FOR_ADMINS = ['attacks', 'field-reports', 'okta-field-reports'];

/** @returns {Promise<string[]>} the Markdown files, for whoever asks whether any has changed */
export async function helpSources() {
  const names = (await readdir(DOCS)).filter((name) => name.endsWith('.md')).sort();
  return names
    .filter((name) => !NOT_FOR_ADMINS.includes(path.parse(name).name))
    .map((name) => path.join(DOCS, name));
}

/** @param {string} folder is made */
export async function writeHelp(folder) {
  const pages = await helpPages();
  await mkdir(folder, { recursive: true });
  await Promise.all(
    Object.entries(pages).map(([name, { html }]) => writeFile(path.join(folder, `${name}.html`), html)),
  );
}

/** @returns {Promise<Record<string, { title: string, html: string }>>} by name; `index` lists the others */
export async function helpPages() {
  // Imported late: in a fresh clone the packages are there only after the set-up before.
  const { parsers } = await import('prettier/plugins/markdown');
  const files = await helpSources();
  const known = new Set(files.map((file) => path.parse(file).name));
  /** @type {Record<string, { title: string, html: string }>} */
  const pages = {};
  for (const file of files) {
    const { name } = path.parse(file);
    const root = await parsers.markdown.parse(await readFile(file, 'utf8'), { filepath: file });
    const [first] = root.children;
    const title = first?.type === 'heading' ? plainText(first) : name;
    pages[name] = {
      title,
      html: pageOf(title, childrenOf(root, { known, isTable: false, tables: { count: 0 } })),
    };
  }
  const entries = Object.entries(pages).map(
    ([name, { title }]) => `<li><a href="${name}">${escaped(title)}</a></li>`,
  );
  const title = 'Documentation';
  pages['index'] = { title, html: pageOf(title, `<h1>${title}</h1><ul>${entries.join('')}</ul>`) };
  return pages;
}

/** As GitHub makes an anchor of a heading, so that links hold in both places. */
const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

const pageOf = (title, body) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} · Odette</title>
<link rel="icon" href="/odette.svg">
<link rel="stylesheet" href="/help.css">
</head>
<body>
<nav aria-label="Documentation"><a href="/">Console</a> <a href="./">All pages</a></nav>
<main>
${body}
</main>
</body>
</html>
`;

/** @typedef {{ known: Set<string>, isTable: boolean, tables: { count: number } }} Place */

/** Everything that a page of docs/ is made of; what is not here is a mistake that the build tells. */
const RENDERERS = {
  text: ({ value }) => escaped(value),
  paragraph: (node, place) => `<p>${childrenOf(node, place)}</p>`,
  heading: (node, place) =>
    `<h${node.depth} id="${anchorOf(plainText(node))}">${childrenOf(node, place)}</h${node.depth}>`,
  strong: (node, place) => `<strong>${childrenOf(node, place)}</strong>`,
  emphasis: (node, place) => `<em>${childrenOf(node, place)}</em>`,
  inlineCode: ({ value }, { isTable }) =>
    `<code>${escaped(isTable ? value.replaceAll('\\|', '|') : value)}</code>`,
  code: ({ value }) => `<pre tabindex="0"><code>${escaped(value)}</code></pre>`,
  break: () => '<br>',
  blockquote: (node, place) => `<blockquote>${childrenOf(node, place)}</blockquote>`,
  list: (node, place) => {
    const tag = node.ordered ? 'ol' : 'ul';
    const start = node.ordered && node.start !== 1 ? ` start="${node.start}"` : '';
    return `<${tag}${start}>${childrenOf(node, place)}</${tag}>`;
  },
  listItem: (node, place) => `<li>${childrenOf(node, place)}</li>`,
  table: ({ children: [head, ...rows] }, place) =>
    `<div class="table" tabindex="0" role="region" aria-label="Table ${(place.tables.count += 1)}"><table><thead>${rowOf(head, 'th scope="col"', place)}</thead><tbody>${rows.map((row) => rowOf(row, 'td', place)).join('')}</tbody></table></div>`,
  link: (node, place) => {
    const address = addressOf(node.url, place);
    const text = childrenOf(node, place);
    return address === undefined ? text : `<a href="${escaped(address)}">${text}</a>`;
  },
  // A comment for those who write the page.
  html: () => '',
};

const childrenOf = ({ children }, place) =>
  children
    .map((node) => {
      const renderer = RENDERERS[node.type];
      if (renderer === undefined)
        throw new Error(`A page of docs/ has a ${node.type}, which no help page shows`);
      return renderer(node, place);
    })
    .join('');

const rowOf = ({ children }, tag, place) =>
  `<tr>${children
    .map((cell) => `<${tag}>${childrenOf(cell, { ...place, isTable: true })}</${tag.split(' ')[0]}>`)
    .join('')}</tr>`;

/** Of another page that is served, or of another host; undefined: of a file that only the repository has. */
function addressOf(url, { known }) {
  if (/^(https?:|#)/.test(url)) return url;
  const [, name = '', anchor = ''] = /^(?:\.\/)?([\w-]+)\.md(#.*)?$/.exec(url) ?? [];
  return known.has(name) ? `${name}${anchor}` : undefined;
}

const plainText = (node) => node.value ?? (node.children ?? []).map(plainText).join('');

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text) => text.replaceAll(/[&<>"]/g, (letter) => ENTITIES[letter]);
