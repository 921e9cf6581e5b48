// SPDX-License-Identifier: MIT
/** docs/glossary.md is what the dashboard shows under `i`: every word and every column. After a change: `make golden`. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { processFields } from '../../src/core/present/fields/process.js';
import { LISTS } from '../../src/core/view/lists.js';
import { initialState, LISTS_OF, type ListId, VIEWS } from '../../src/core/view/state.js';
import { LIST_TITLES, VIEW_TITLES } from '../../src/core/view/titles.js';
import { COMMON_COLUMNS, columnWord, LIST_COLUMNS } from '../../src/core/vocabulary/columns.js';
import { GLOSSARY } from '../../src/core/vocabulary/glossary.js';
import { emptySnapshot } from '../tui/fixture-empty.js';

const PAGE = fileURLToPath(new URL('../../../docs/glossary.md', import.meta.url));
const FIGURES = { now: emptySnapshot(), before: null, state: initialState(80, 24, 'live', 1000) };
const IDS = Object.values(LISTS_OF).flat();

interface Column {
  readonly list: ListId;
  readonly id: string;
  readonly title: string;
  readonly word: string | undefined;
}

const COLUMNS: readonly Column[] = [...new Set(IDS)].flatMap((list) =>
  LISTS[list](FIGURES, { terms: [] }, null)
    .cells(0)
    .map(({ id, title }) => ({ list, id, title, word: columnWord(list, id) })),
);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = (row: readonly string[]): string => `| ${row.join(' | ')} |`.replaceAll('|  |', '| |');
  return [cells(head), `|${head.map(() => '---|').join('')}`, ...rows.map(cells)];
}

/** The views that have one of these lists, each with its key. */
function viewsOf(lists: readonly ListId[]): string {
  return VIEWS.flatMap((view, i) =>
    LISTS_OF[view].some((list) => lists.includes(list)) ? [`${i + 1} *${VIEW_TITLES[view]}*`] : [],
  ).join(' and ');
}

/** Processes and cgroups have the same figures in every output; a table of the names they have there. */
function otherNames(): string[] {
  const rows = processFields.flatMap(({ title, unit, json, metric }) => {
    if (json === undefined) return [];
    const name = metric && `vmalocktop_process_${metric.name}${unit === 'ns' ? '_seconds' : ''}`;
    return [
      [
        title.trim(),
        `\`${json}\``,
        name === undefined ? '' : `\`${name}${metric?.type === 'counter' ? '_total' : ''}\``,
      ],
    ];
  });
  return table(['Column', '`processes[]` of `stat --json`', 'Metric'], rows);
}

function page(): string {
  const lines = [
    '# Glossary',
    '',
    "Every word the screens and documents use, with the kernel's own name for it. Kernel words keep the kernel's meaning. In the",
    'dashboard the same words are under `i`.',
  ];
  for (const { title, terms } of GLOSSARY) {
    const named = terms.some(({ kernel }) => kernel !== undefined);
    const rows = terms.map(({ word, meaning, kernel = '' }) => (named ? [word, meaning, kernel] : [word, meaning]));
    lines.push('', `## ${title}`, '');
    lines.push(...table(named ? ['Word', 'What it means', 'In the kernel'] : ['Word', 'What it means'], rows));
  }
  lines.push('', '## Columns of the dashboard', '', 'By list. The number is the key that opens the view.');
  const shown = new Set<string>();
  for (const list of new Set(IDS)) {
    // Latest and Slowest have the same columns.
    const rows = COLUMNS.filter((column) => column.list === list).map(({ title, word = '' }) => [title.trim(), word]);
    const text = JSON.stringify(rows);
    if (shown.has(text)) continue;
    shown.add(text);
    const titles = [...new Set(IDS)].filter(
      (other) =>
        JSON.stringify(
          COLUMNS.filter((column) => column.list === other).map(({ title, word = '' }) => [title.trim(), word]),
        ) === text,
    );
    lines.push(
      '',
      `### ${titles.map((id) => LIST_TITLES[id]).join(', ')}`,
      '',
      `In view ${viewsOf(titles)}.`,
      '',
      ...table(['Column', 'What it means'], rows),
    );
    if (list === 'processes')
      lines.push('', 'The same figures elsewhere (cgroups have them too):', '', ...otherNames());
  }
  return `${lines.join('\n')}\n`;
}

test('every column of every list has a word, and every word a column', () => {
  assert.deepEqual(
    COLUMNS.filter(({ word }) => word === undefined || word === '').map(({ list, id }) => `${list}.${id}`),
    [],
  );
  const own = Object.entries(LIST_COLUMNS).flatMap(([list, words]) => Object.keys(words).map((id) => `${list}.${id}`));
  const there = new Set(COLUMNS.map(({ list, id }) => `${list}.${id}`));
  assert.deepEqual(
    own.filter((name) => !there.has(name)),
    [],
  );
  const ids = new Set(COLUMNS.map(({ id }) => id));
  assert.deepEqual(
    Object.keys(COMMON_COLUMNS).filter((id) => !ids.has(id)),
    [],
  );
});

test('docs/glossary.md has the words of the dashboard', () => {
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(PAGE, page());
  else assert.equal(readFileSync(PAGE, 'utf8'), page());
});
