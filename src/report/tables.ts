// SPDX-License-Identifier: MIT
/** The tables of the report. */

import type { Snapshot } from '../core/aggregate/snapshot.js';
import type { CounterfactualRow, MmapLockSide, SwapDeviceRow, WaitStats } from '../core/aggregate/snapshot-rows.js';
import { cgroupFields } from '../core/present/fields/cgroup.js';
import { exact, type Field } from '../core/present/fields/field.js';
import { processFields } from '../core/present/fields/process.js';
import { vmaFields } from '../core/present/fields/vma.js';
import { writerFields } from '../core/present/fields/writer.js';
import { formatBytes, formatDuration, formatExact, formatShare } from '../core/present/format.js';
import { countOf, emittedWords } from '../core/present/rows.js';
import { whyNoWait } from '../core/present/wait-hooks.js';
import { CAUSES, type Cause, isRetryCause } from '../core/vocabulary/causes.js';
import { VERDICTS } from '../core/vocabulary/verdicts.js';
import { WAIT_FACTS, WAIT_NAMES, type WaitName } from '../core/vocabulary/waits.js';
import { type Html, html, type Part, type TableColumn, table } from './html.js';

const MAX_ROWS = 20;
const MAX_PROCESS_VERDICTS = 10;
const n = <Row>(title: string, get: (row: Row) => Part): TableColumn<Row> => ({ title, figure: true, get });
const time = (ns: number): string => (Number.isFinite(ns) ? formatDuration(ns) : '–');

interface CauseLine {
  readonly cause: Cause;
  readonly count: number;
}

export function causeTable(snapshot: Snapshot): Html | null {
  const { causeCosts } = snapshot;
  const rows: CauseLine[] = CAUSES.map((cause) => ({ cause, count: countOf(snapshot, cause) }))
    .filter(({ count }) => count > 0)
    .sort((x, y) => y.count - x.count);
  if (rows.length === 0) return null;
  // A cause of a RETRY is a share of the retries, as in the summary; an ABORT's of the aborts.
  const total = (like: Cause): number =>
    rows.reduce((sum, { cause, count }) => sum + (isRetryCause(cause) === isRetryCause(like) ? count : 0), 0);
  const cost = ({ cause }: CauseLine): { lostNs: number; faults: number; worstNs: number } =>
    causeCosts[cause] ?? { lostNs: Number.NaN, faults: Number.NaN, worstNs: Number.NaN };
  return table('Causes; the time is that from the failed attempt to the end of the fault', rows, [
    { title: 'cause', get: ({ cause }) => cause },
    { title: 'of', get: ({ cause }) => (isRetryCause(cause) ? 'RETRY' : 'ABORT') },
    n('count', ({ count }) => formatExact(count)),
    n('share of these', ({ cause, count }) => formatShare(count / total(cause))),
    n('time in all', (row) => time(cost(row).lostNs)),
    n('mean', (row) => time(cost(row).lostNs / cost(row).faults)),
    n('worst', (row) => time(cost(row).worstNs)),
  ]);
}

export function waitTable(snapshot: Snapshot): Html {
  const why = (name: WaitName): string => (snapshot.waits[name].count > 0 ? '' : whyNoWait(snapshot.session, name));
  const figure =
    (get: (stats: WaitStats) => string) =>
    (name: WaitName): Part => {
      const stats = snapshot.waits[name];
      if (stats.count > 0) return get(stats);
      return why(name) === '' ? '' : '–';
    };
  return table('Waits by kind', WAIT_NAMES, [
    { title: 'wait', get: (name) => WAIT_FACTS[name].title },
    n('count', (name) => {
      const { count } = snapshot.waits[name];
      return why(name) === '' ? formatExact(count) : '–';
    }),
    n(
      'p50',
      figure(({ p50Ns }) => time(p50Ns)),
    ),
    n(
      'p99',
      figure(({ p99Ns }) => time(p99Ns)),
    ),
    n(
      'longest',
      figure(({ maxNs }) => time(maxNs)),
    ),
    n(
      'in all',
      figure(({ sumNs }) => time(sumNs)),
    ),
    // Only where there is something to say.
    ...(WAIT_NAMES.some((name) => why(name) !== '') ? [{ title: 'not known because', get: why }] : []),
  ]);
}

function stallText({ stall }: CounterfactualRow): string {
  if (stall.basis === 'none') return 'not known';
  return stall.basis === 'exact' ? time(stall.exactNs) : `at most ${time(stall.boundNs)}`;
}

export function counterfactualTable({ counterfactual: { all, byCause, byProcess } }: Snapshot): Html | null {
  if (all.retries === 0) return null;
  const columns: readonly TableColumn<CounterfactualRow>[] = [
    n('retries', ({ retries }) => formatExact(retries)),
    ...VERDICTS.map((kind) => n<CounterfactualRow>(kind, ({ verdicts }) => formatExact(verdicts[kind]))),
    n('avoidable, no writer', (row) => formatExact(row.avoidableQuiet)),
    n('avoidable, writers', (row) => formatExact(row.avoidableBusy)),
    n('would save', ({ savedNs, retries, verdicts }) =>
      savedNs === null || verdicts.unknown === retries ? '–' : time(savedNs),
    ),
    n('writers would stall', stallText),
  ];
  const why = Object.entries(all.unknownWhy).sort(([, x], [, y]) => y - x);
  const reasons = why.map(([reason, count]) => html`<li>${formatExact(count)}: ${reason}</li>`);
  const key = (title: string): TableColumn<CounterfactualRow> => ({ title, get: (row) => row.key });
  const most = byProcess.length > MAX_PROCESS_VERDICTS ? `, the ${MAX_PROCESS_VERDICTS} with most retries` : '';
  return html`${table('Had the VMA lock been kept, or tried again', [all, ...byCause], [key('cause'), ...columns])}
${table(`The same by process${most}`, byProcess.slice(0, MAX_PROCESS_VERDICTS), [key('process'), ...columns])}
${why.length === 0 ? null : html`<details><summary>Why the verdict is unknown</summary><ul>${reasons}</ul></details>`}`;
}

const DECADES = ['< 1 µs', '< 10 µs', '< 100 µs', '< 1 ms', '< 10 ms', '< 100 ms', '< 1 s', 'longer'];

export function mmapLockTable({ mmapLock }: Snapshot): Html {
  if (!mmapLock.known)
    return html`<p class="soft">mmap_lock's tracepoints were not hooked: its acquisitions are not known.</p>`;
  const rows: readonly (readonly [string, MmapLockSide])[] = [
    ['read', mmapLock.read],
    ['write', mmapLock.write],
  ];
  return table('mmap_lock by everybody, by the time from asking for it to having it', rows, [
    { title: 'for', get: ([name]) => name },
    n('acquired', ([, side]) => formatExact(side.acquired)),
    n('waited in all', ([, side]) => time(side.waitNs)),
    ...DECADES.map((title, i) =>
      n<readonly [string, MmapLockSide]>(title, ([, side]) => formatExact(side.decades[i] ?? 0)),
    ),
  ]);
}

export function writerTable({ writers }: Snapshot): Html | null {
  return fieldTable('Writers that waited, or met a retry', writers, writerFields);
}

/** The columns that fields are, but those nobody has a value for. */
function columnsOf<Row>(fields: readonly Field<Row>[], rows: readonly Row[]): TableColumn<Row>[] {
  return fields
    .filter((field) => rows.some((row) => field.get(row) !== null))
    .map((field) => ({
      title: field.title,
      ...(field.align === 'right' ? { figure: true as const } : {}),
      get: (row: Row) => exact(field, row),
    }));
}

export function fieldTable<Row>(caption: string, all: readonly Row[], fields: readonly Field<Row>[]): Html | null {
  if (all.length === 0) return null;
  const rows = all.slice(0, MAX_ROWS);
  return table(all.length > MAX_ROWS ? `${caption}, the first ${MAX_ROWS}` : caption, rows, columnsOf(fields, rows));
}

export function vmaTable({ vmas }: Snapshot): Html | null {
  return fieldTable('VMAs, by retries and aborts', vmas, vmaFields);
}

export function processTable({ processes }: Snapshot): Html | null {
  return fieldTable('Processes, by retries', processes, processFields);
}

export function cgroupTable({ cgroups }: Snapshot): Html | null {
  return fieldTable('Cgroups, by retries', cgroups, cgroupFields);
}

export function deviceTable({ swap }: Snapshot): Html | null {
  if (swap.devices.length === 0) return null;
  return table('Swap devices', swap.devices, [
    { title: 'device', get: ({ name, type }: SwapDeviceRow) => name || `number ${type}` },
    { title: 'reads', get: ({ synchronous }) => (synchronous ? 'synchronous' : 'asynchronous') },
    n('faults', ({ faults }) => formatExact(faults)),
    n('own reads', ({ reads }) => formatExact(reads)),
    n('retries', ({ retries }) => formatExact(retries)),
    n('folio waits p99', ({ folioWait }) => time(folioWait.p99Ns)),
    n('synchronous reads p99', ({ syncRead }) => time(syncRead.p99Ns)),
  ]);
}

export function lossTable(snapshot: Snapshot, truncated: string | null): Html {
  const { events, lifecycles, forgotten, overhead, session } = snapshot;
  const rows: [string, string][] = [
    ['events emitted by the kernel side', emittedWords(events, formatExact)],
    ['of them decoded', formatExact(events.decoded)],
    ['of them dropped: the ring was full', formatExact(events.dropped)],
    ['program runs missed by the kernel', formatExact(events.missed)],
    ['lifecycles without per-task state', formatExact(events.stateLost)],
    ['lifecycles followed', formatExact(lifecycles.total)],
    ['of them incomplete: steps lost', formatExact(lifecycles.incomplete)],
    ['of them given up: too many open', formatExact(lifecycles.evicted)],
    ['recording', truncated === null ? 'whole' : `cut off: ${truncated}`],
    ['ring buffer', formatBytes(session.ringBytes)],
    ['CPU time of the recorder itself', overhead.selfCpuNs > 0 ? time(overhead.selfCpuNs) : 'not known'],
  ];
  for (const [name, count] of Object.entries(forgotten ?? {})) {
    if (count > 0) rows.push([`beyond the bounds of our own tables: ${name}`, formatExact(count)]);
  }
  return table('Losses', rows, [{ title: 'what', get: ([what]) => what }, n('how many', ([, value]) => value)]);
}

export function hookTable({ session }: Snapshot): Html {
  return table('Hooks', session.hooks, [
    { title: 'function or tracepoint', get: ({ target }) => target },
    { title: 'attached', get: ({ attached }) => (attached ? 'yes' : 'no') },
    { title: 'note', get: ({ note }) => html`<span class="wrap">${note}</span>` },
  ]);
}
