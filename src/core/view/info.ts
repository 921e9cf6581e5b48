// SPDX-License-Identifier: MIT
/** What stands under `i`: the selected row in full, what its columns and its words mean, the colours, and the glossary. */
import type { Lifecycle } from '../lifecycle/lifecycle.js';
import { causeOf } from '../present/lifecycle.js';
import { type Line, type Style, sanitise, seg, wrapWords } from '../present/text.js';
import { type Cause, factsOf } from '../vocabulary/causes.js';
import { columnWord } from '../vocabulary/columns.js';
import { GLOSSARY, type Term } from '../vocabulary/glossary.js';
import { WAIT_FACTS, type WaitName } from '../vocabulary/waits.js';
import { LEGEND } from './legend.js';
import type { About, Rows } from './list.js';
import { GROUP_KEY } from './list-tree.js';
import type { ListId } from './state.js';
import { LIST_TITLES } from './titles.js';

const NAME = 16;

/** Markdown as a terminal shows it: without its marks. */
function plain(text: string): string {
  return text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '');
}

/** `name  words`, the words wrapped beside the name. */
function entry(name: string, style: Style, words: string, width: number): Line[] {
  const [first = '', ...rest] = wrapWords(plain(words), Math.max(20, width - NAME - 1));
  const head = sanitise(plain(name));
  const lines: Line[] = rest.map((text) => [seg(' '.repeat(NAME + 1)), seg(text)]);
  if (head.length > NAME) return [[seg(head, style)], [seg(' '.repeat(NAME + 1)), seg(first)], ...lines];
  return [[seg(`${head.padEnd(NAME)} `, style), seg(first)], ...lines];
}

function wrapped(text: string, indent: number, width: number): Line[] {
  return wrapWords(plain(text), Math.max(20, width - indent)).map((line) => [
    seg(' '.repeat(indent)),
    seg(line, 'dim'),
  ]);
}

function termOf(word: string): Term | undefined {
  const low = word.toLowerCase().replace('in-flight', 'in flight');
  return GLOSSARY.flatMap(({ terms }) => terms).find((term) => term.word.toLowerCase().split(', ').includes(low));
}

export function aboutCause(cause: Cause): About[] {
  const { sentence, process, kernel } = factsOf(cause);
  return [
    [cause, sentence],
    ['who owns it can', process],
    ['the kernel’s can', kernel],
  ];
}

const LOCKS = {
  dropped: 'The lock of the fault is given back before the wait.',
  fallback: 'The attempt under the VMA lock is over by then.',
  kept: 'The attempt keeps its lock meanwhile.',
  none: 'No fault lock is held.',
} as const;

export function aboutWait(id: WaitName): About[] {
  const { title, now, lock, hooks } = WAIT_FACTS[id];
  return [[title, `The task ${now}. ${LOCKS[lock]} Seen by ${hooks.join(', ')}.`]];
}

export function aboutFault(fault: Lifecycle): About[] {
  const end = termOf(fault.how);
  const cause = causeOf(fault);
  return [
    ...(end === undefined ? [] : [[fault.how, end.meaning] as const]),
    ...(cause === null ? [] : aboutCause(cause)),
    ...[...new Set(fault.waits.map(({ kind }) => kind))].flatMap(aboutWait),
  ];
}

function aboutLines(about: readonly About[], width: number): Line[] {
  return about.length === 0 ? [] : [...about.flatMap(([word, words]) => entry(word, 'key', words, width)), []];
}

/** Each column: its title and the value in full, and below it what the column means. */
function rowLines(list: ListId, rows: Rows, selected: number, width: number): Line[] {
  const isGroup = (rows.keyAt(selected) ?? '').startsWith(GROUP_KEY);
  const lines: Line[] = [
    [seg(LIST_TITLES[list], 'head'), seg(rows.count === 0 || isGroup ? '' : ': the selected row', 'head')],
  ];
  if (isGroup) lines.push(...wrapped(rows.text(selected), 0, width));
  lines.push(...aboutLines(rows.about(selected), width));
  for (const { id, title, text } of rows.cells(selected)) {
    const [first = '', ...rest] = wrapWords(text, Math.max(20, width - NAME - 1));
    lines.push([seg(`${title.trim().padEnd(NAME)} `, 'key'), seg(first, 'strong')]);
    for (const more of rest) lines.push([seg(' '.repeat(NAME + 1)), seg(more, 'strong')]);
    lines.push(...wrapped(columnWord(list, id) ?? '', NAME + 1, width));
  }
  return lines;
}

/** `fault`: the one that is shown in full, instead of a list. */
export function infoLines(list: ListId, rows: Rows, selected: number, fault: Lifecycle | null, width: number): Line[] {
  const own =
    fault === null
      ? rowLines(list, rows, selected, width)
      : [[seg('This fault', 'head')], ...aboutLines(aboutFault(fault), width)];
  const legend: Line[] = LEGEND.map(([style, words]) => [seg('■ ', style), seg(words)]);
  const words = GLOSSARY.flatMap(({ title, terms }): Line[] => [
    [],
    [seg(title, 'head')],
    ...terms.flatMap(({ word, meaning, kernel }) =>
      entry(word, 'key', kernel === undefined ? meaning : `${meaning} (${kernel})`, width),
    ),
  ]);
  return [...own, [], [seg('Colours', 'head')], ...legend, ...words];
}
