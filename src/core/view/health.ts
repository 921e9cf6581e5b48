// SPDX-License-Identifier: MIT
/** The Health view: can the figures be trusted, and what do they cost. */

import type { Snapshot } from '../aggregate/snapshot.js';
import { pidWords } from '../events/session.js';
import { formatBytes, formatCount, formatDuration, formatShare } from '../present/format.js';
import { emittedWords, programShare, selfShare } from '../present/rows.js';
import { bar, type Line, pad, type Segment, type Style, sanitise, seg, wrapLine, wrapWords } from '../present/text.js';
import { BOX_COLUMNS } from './frame.js';
import { above, type Block, beside, panel } from './layout.js';
import type { Figures } from './list.js';
import { focusedList, listBox } from './list-box.js';

const WIDE = 120;

function pairs(...parts: readonly (readonly [name: string, value: string, style?: Style])[]): Line {
  return parts.flatMap(([name, value, style], i): Segment[] => [
    seg(`${i === 0 ? '' : '   '}${name} `, 'dim'),
    seg(value, style ?? 'plain'),
  ]);
}

const loss = (value: number): Style => (value > 0 ? 'bad' : 'plain');

/** emitted = decoded + dropped, unless rows are still on their way. */
function lossLines({ events, lifecycles, forgotten, names }: Snapshot): Line[] {
  const n = formatCount;
  const under = events.emitted - events.decoded - events.dropped;
  const lines: Line[] = [
    pairs(
      ['emitted', emittedWords(events)],
      ['decoded', n(events.decoded)],
      ['dropped', n(events.dropped), loss(events.dropped)],
      ['on the way', n(Math.max(0, under))],
    ),
    pairs(
      ['runs missed', n(events.missed), loss(events.missed)],
      ['not tracked', n(events.stateLost), loss(events.stateLost)],
      ['incomplete', `${n(lifecycles.incomplete)} of ${n(lifecycles.total)}`, loss(lifecycles.incomplete)],
    ),
  ];
  const gone = Object.entries({ lifecycles: lifecycles.evicted, ...forgotten }).filter(([, count]) => count > 0);
  const failed = names.failedStacks.kernel + names.failedStacks.user;
  const unnamed = [...names.missing.map(sanitise), ...(failed > 0 ? [`${n(failed)} stacks`] : [])];
  if (unnamed.length > 0 && gone.length === 0)
    return [...lines, [seg('no names: ', 'dim'), seg(unnamed.join('; '), 'bad')]];
  lines.push(
    gone.length === 0
      ? [seg('nothing was given up: no table of ours was full', 'dim')]
      : [seg('given up: ', 'dim'), seg(gone.map(([what, count]) => `${n(count)} ${what}`).join(', '), 'bad')],
  );
  return lines;
}

function releaseLines({ session, release }: Snapshot): Line[] {
  const rules = Object.entries(release)
    .map(([rule, { count }]) => `${rule} ${formatCount(count)}`)
    .join('  ');
  return [
    [seg('releases ', 'dim'), seg(session.release, 'strong')],
    [seg(rules === '' ? 'no release yet' : `by rule: ${rules}`, 'dim')],
  ];
}

function costLines({ now, before }: Figures): Line[] {
  const { session, overhead } = now;
  const fill = now.ringUsedBytes / (session.ringBytes || Number.NaN);
  const programs = programShare(now);
  return [
    [
      seg('ring ', 'dim'),
      seg(pad(formatShare(fill), 6, 'right')),
      seg(` of ${formatBytes(session.ringBytes)} `, 'dim'),
      seg(`[${bar(fill, 12)}]`, fill > 0.5 ? 'bad' : 'plain'),
    ],
    pairs(
      ['our CPU', formatShare(selfShare(now, before))],
      ['in all', formatDuration(overhead.selfCpuNs)],
      ['memory', formatBytes(overhead.selfRssBytes)],
    ),
    pairs(
      ['BPF programs', Number.isNaN(programs) ? 'run times not taken' : `${formatShare(programs)} of a CPU`],
      ['taken over', formatDuration(overhead.measuredNs)],
    ),
  ];
}

function sessionLines({ session }: Snapshot, width: number): Line[] {
  const pids = pidWords(session);
  const filters = Object.entries(session.filters).map(([name, value]) => `${name} ${value}`);
  const texts = wrapWords(filters.length === 0 ? 'none' : sanitise(filters.join(', ')), width - 8);
  const lines = [
    pairs(
      ['kernel', sanitise(session.kernel)],
      ['preemption', session.preemption],
      ['CPUs', String(session.cpus)],
      ['scope', session.scope],
    ),
    ...texts.slice(0, -1).map((text, i) => pairs([i === 0 ? 'filters' : '       ', text])),
    pairs([texts.length === 1 ? 'filters' : '       ', texts.at(-1) ?? ''], ['tool', session.tool]),
    ...(pids === '' ? [] : [pairs(['pids', pids])]),
  ];
  return lines.flatMap((line) => wrapLine(line, width));
}

export function healthView(figures: Figures, width: number, height: number): Block {
  const { now } = figures;
  const [release = [], rules = []] = releaseLines(now);
  const losses = lossLines(now);
  const loss = { title: [seg('Losses', 'strong')] };
  const cost = { title: [seg('Cost and session', 'strong')] };
  const costs = (inner: number): Line[] => [...costLines(figures), ...sessionLines(now, inner)];
  if (width < WIDE) {
    const narrow = [...losses, [...release, seg('   '), ...rules]];
    // Without filters there is nothing to say of them.
    const lines = costs(width - BOX_COLUMNS).slice(0, Object.keys(now.session.filters).length === 0 ? 4 : 7);
    return above(
      panel(loss, narrow, width, narrow.length + 2),
      panel(cost, lines, width, lines.length + 2),
      focusedList(figures, width, height - narrow.length - lines.length - 4),
    );
  }
  const left = Math.floor(width / 2);
  const lines = costs(width - left - BOX_COLUMNS);
  const rows = Math.min(Math.max(losses.length + 2, lines.length), Math.floor(height / 2) - 2) + 2;
  const top = beside(panel(loss, [...losses, release, rules], left, rows), panel(cost, lines, width - left, rows));
  if (height < 36) return above(top, focusedList(figures, width, height - rows));
  const hooks = Math.floor((height - rows) / 2);
  return above(
    top,
    listBox('hooks', figures, width, hooks),
    listBox('programs', figures, width, height - rows - hooks),
  );
}
