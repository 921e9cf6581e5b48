// SPDX-License-Identifier: MIT
/** One fault as a waterfall: each attempt, wait and hold as a bar under the one it lies in. */
import type { Lifecycle } from '../core/lifecycle/lifecycle.js';
import { formatAddress, formatDuration, formatTime } from '../core/present/format.js';
import { causeOf } from '../core/present/lifecycle.js';
import { type Slice, slicesOf } from '../export/perfetto/slices.js';
import { type Html, html } from './html.js';
import { WORK_COLOURS } from './style.js';

const WIDTH = 1000;
const MAX_INDENT = 3;

function bar(slice: Slice, depth: number, from: number, length: number): Html {
  const at = (time: number): number => (length > 0 ? Math.round((WIDTH * (time - from)) / length) : 0);
  const x = Math.min(at(slice.start), WIDTH - 4);
  const width = Math.max(4, Math.min(WIDTH, at(slice.end)) - x);
  const notes = Object.entries(slice.notes ?? {})
    .filter(([name, value]) => value !== null && SHOWN.has(name))
    .map(([name, value]) => `${name}: ${String(value)}`);
  const note = notes.length === 0 ? null : html`<span class="soft">; ${notes.join(', ')}</span>`;
  return html`<li><span class="d${Math.min(depth, MAX_INDENT)}">${slice.name}, ${formatDuration(slice.end - slice.start)}<span class="soft">${slice.start > from ? ` from ${formatDuration(slice.start - from)} on` : ' from its beginning'}</span>${note}</span>
<svg viewBox="0 0 ${WIDTH} 10" preserveAspectRatio="none" aria-hidden="true"><rect x="${x}" width="${width}" height="10" fill="${WORK_COLOURS[slice.category] ?? 'currentColor'}"/></svg></li>`;
}

/** What is worth its place on a line; a trace has the rest. */
const SHOWN: ReadonlySet<string> = new Set([
  'cause',
  'innermost',
  'verdict',
  'lock held',
  'holder tid',
  'writer tid',
  'release rule',
  'lost',
  'its end was not seen',
  'cut by the end of the recording',
]);

/** `now`: time of the newest row, where a fault in flight is cut. `arch`: of the session. */
export function waterfall(lifecycle: Lifecycle, now: number, arch: string): Html {
  const { work, locks } = slicesOf(lifecycle, now, arch, () => 0n);
  const [fault] = work;
  if (fault === undefined) return html``;
  const length = fault.end - fault.start;
  const open: number[] = [];
  const bars = work.map((slice) => {
    while (open.length > 0 && (open.at(-1) as number) <= slice.start && (open.at(-1) as number) < slice.end) open.pop();
    const depth = open.length;
    open.push(slice.end);
    return bar(slice, depth, fault.start, length);
  });
  const held = locks.map((slice) => bar(slice, 1, fault.start, length));
  const { comm, tid, tgid, address, first, how } = lifecycle;
  const cause = causeOf(lifecycle);
  return html`<h3>${formatDuration(length)}: ${comm || 'unknown task'} ${tgid}/${tid}, ${how}${cause === null ? null : `, ${cause}`}</h3>
<p class="soft">address ${formatAddress(address)}, at ${formatTime(first)} s</p>
<ol class="fall">${bars}${held}</ol>`;
}
