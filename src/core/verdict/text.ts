// SPDX-License-Identifier: MIT
/** One page of text, made to be pasted into a mail: 78 columns, and the figures say how far they go. */
import { blocksOf, type CleanText } from '../present/clean.js';
import { formatDuration, formatExact } from '../present/format.js';
import { sanitise } from '../present/text.js';
import { between } from './conclusions.js';
import { ALTERNATIVES, type Alternative, POLICY_FACTS, POLICY_NAMES } from './policies.js';
import type { Spread, UnderRow, VerdictReport, VerdictRow } from './report.js';

const WIDTH = 78;
const MAX_ROWS = 8;

/** Words in lines of at most `WIDTH` columns, later lines indented. */
export function wrap(text: string, first: string, rest: string = ' '.repeat(first.length)): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(' ')) {
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = rest;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}

const ns = (value: number | null): string => (value === null ? '-' : formatDuration(value));
const titled = (title: string, cells: readonly string[], width = 16): string =>
  `  ${title.padEnd(28)}${cells.map((cell) => cell.padStart(width)).join('')}`;
const ends = (least: number | null, most: number | null): string =>
  ns(least) === ns(most) ? ns(most) : `${ns(least)}…${ns(most)}`;

function policyLines(report: VerdictReport): string[] {
  const { all, faults, writersToday, writers } = report;
  const under = (get: (row: UnderRow, name: Alternative) => string): string[] =>
    ALTERNATIVES.map((name) => get(all.under[name], name));
  const lines = [
    titled(
      '',
      POLICY_NAMES.map((name) => POLICY_FACTS[name].title),
    ),
    titled('done under the VMA lock', [
      '0',
      ...under(({ courses }) => {
        const most = courses.vma + courses.either;
        return most === courses.vma ? formatExact(courses.vma) : `${formatExact(courses.vma)}…${formatExact(most)}`;
      }),
    ]),
    titled('second tries in vain', [
      '-',
      ...under(({ courses }, name) => (name === 'retry' ? formatExact(courses.vain) : '-')),
    ]),
    titled('as today', [formatExact(all.retries), ...under(({ courses }) => formatExact(courses.same))]),
    titled('not known', ['0', ...under(({ courses }) => formatExact(courses.unknown))]),
    titled('queued for mmap_lock', [between(all.queued), ...under(() => '')]),
    titled('  saved, in all', ['', ...under(({ saved }) => between(saved))]),
    ...(['p50Ns', 'p99Ns', 'maxNs'] as const).map((key) =>
      titled(`  ${key === 'maxNs' ? 'at most' : key.slice(0, 3)}, a fault`, [
        ends(all.queued.least[key], all.queued.most[key]),
        ...under(({ saved }) => ends(saved.least[key], saved.most[key])),
      ]),
    ),
  ];
  lines.push(
    titled('lost behind stalled writers', ['', ...under(({ lost }) => (lost === null ? 'not known' : between(lost)))]),
  );
  const stalls = under(({ stalls }) => (stalls === null ? 'not known' : formatExact(stalls.count)));
  lines.push(titled(report.basis === 'bound' ? 'writers stalled, at most' : 'writers stalled', ['', ...stalls]));
  if (all.under.keep.stalls !== null) {
    const stat = (title: string, get: (spread: Spread) => number | null): string =>
      titled(title, ['', ...under(({ stalls: s }) => (s === null || s.count === 0 ? '-' : ns(get(s))))]);
    lines.push(
      titled('  of them forks', ['', ...ALTERNATIVES.map((name) => formatExact(writers[name].forks.count))]),
      stat('  p50', (s) => s.p50Ns),
      stat('  p99', (s) => s.p99Ns),
      stat('  at most', (s) => s.maxNs),
      stat('  in all', (s) => s.sumNs),
      titled('  forks, in all', ['', ...ALTERNATIVES.map((name) => ns(writers[name].forks.sumNs))]),
    );
    const inversions = ALTERNATIVES.map((name) => {
      const { inverted, unknown } = writers[name].inversions;
      return unknown === 0 ? formatExact(inverted) : `${formatExact(inverted)}…${formatExact(inverted + unknown)}`;
    });
    lines.push(titled('priority inversions', [formatExact(writersToday.inverted), ...inversions]));
  }
  const asked = `${formatExact(faults.all)} faults: ${formatExact(faults.underVmaLock)} done under the VMA lock, ${formatExact(faults.retry)} RETRY, ${formatExact(faults.abort)} ABORT; followed from RETRY on: ${formatExact(all.retries)}.`;
  return [...wrap(asked, ' '), '', ...lines];
}

function table(title: string, rows: readonly VerdictRow[], left: number): string[] {
  if (rows.length === 0) return [];
  /** A key that is too long has a line of its own. */
  const line = (key: string, [faults, ...cells]: readonly string[], stalls: string): string[] => {
    const figures = `${faults?.padStart(7)}${cells.map((cell) => cell.padStart(15)).join('')}${stalls.padStart(7)}`;
    return key.length > 18 ? [` ${key}`, `${' '.repeat(19)}${figures}`] : [` ${key.padEnd(18)}${figures}`];
  };
  const lines = line(title, ['faults', 'queued', 'retry saves', 'keep saves'], 'stalls');
  for (const row of rows) {
    const { stalls } = row.under.keep;
    const cells = [row.queued, row.under.retry.saved, row.under.keep.saved].map(between);
    lines.push(
      ...line(
        ` ${sanitise(row.key)}`,
        [formatExact(row.retries), ...cells],
        stalls === null ? '?' : formatExact(stalls.count),
      ),
    );
  }
  if (left > 0) lines.push(`  and ${formatExact(left)} more`);
  return lines;
}

function writerLines(report: VerdictReport): string[] {
  const { rows, forgotten } = report.writers.keep;
  if (rows.length === 0) return [];
  const head = report.basis === 'bound' ? 'may stall under keep' : 'would stall under keep';
  const line = (who: string, count: string, times: readonly string[]): string[] => {
    const figures = `${count.padStart(8)}${times.map((cell) => cell.padStart(10)).join('')}`;
    return who.length > 27 ? [` ${who}`, `${' '.repeat(28)}${figures}`] : [` ${who.padEnd(27)}${figures}`];
  };
  const lines = line(head, 'stalls', ['p50', 'p99', 'at most', 'in all']);
  for (const { tgid, comm, syscall, stalls, vmas } of rows.slice(0, MAX_ROWS)) {
    const { count, p50Ns, p99Ns, maxNs, sumNs } = stalls;
    lines.push(
      ...line(` ${sanitise(`${tgid} ${comm} ${syscall}`)}`, formatExact(count), [p50Ns, p99Ns, maxNs, sumNs].map(ns)),
    );
    const [vma] = vmas;
    if (vma !== undefined)
      lines.push(`    most on ${vma.start}-${vma.end}: ${formatExact(vma.stalls)} for ${ns(vma.sumNs)}`);
  }
  if (rows.length > MAX_ROWS) lines.push(`  and ${formatExact(rows.length - MAX_ROWS)} more`);
  if (forgotten > 0)
    lines.push(`  ${formatExact(forgotten)} times there was no room to look back: stalls may be larger`);
  return lines;
}

function whyLines({ all }: VerdictReport): string[] {
  const lines = ALTERNATIVES.flatMap((name) =>
    Object.entries(all.under[name].why).flatMap(([why, faults]) =>
      wrap(`${formatExact(faults)} ${sanitise(why)}`, `  ${name}: `, '      '),
    ),
  );
  return lines.length === 0 ? [] : [' not known, or only within an interval', ...lines];
}

/** `remarks`: lines about the whole (a cut-off recording, the command's exit). */
export function verdictText(report: VerdictReport, remarks: readonly string[] = []): CleanText {
  const { events, byCause, byProcess, policy, queueSeen, all } = report;
  const own = policy === 'retry' || policy === 'keep';
  const head = `${sanitise(report.host)}, Linux ${sanitise(report.kernel)}, ${report.cpus} CPUs, ${formatDuration(report.durationNs)} observed, scope ${report.scope}; ${formatExact(events.decoded)} events of ${formatExact(events.emitted)}, ${formatExact(events.dropped)} dropped, ${formatExact(events.missed)} program runs missed.`;
  const unseen = queueSeen
    ? `${formatDuration(all.lookupNs)} more went into looking up the VMA without queueing.${events.missed > 0 ? ' It includes queues whose beginning was a missed run.' : ''}`
    : 'Queueing is not distinguished from looking up here: what is saved lies between nothing and all of it.';
  return blocksOf([
    [' Should these faults keep the VMA lock, or try it once more?'],
    wrap(head, ' '),
    POLICY_NAMES.flatMap((name) => wrap(POLICY_FACTS[name].sentence, `  ${name.padEnd(8)}`)),
    report.conclusions.flatMap((sentence) => wrap(sentence, ' * ')),
    own || all.retries === 0 ? [] : policyLines(report),
    own ? [] : table('by cause', byCause, 0),
    own ? [] : table('by process', byProcess.slice(0, MAX_ROWS), Math.max(0, byProcess.length - MAX_ROWS)),
    own ? [] : writerLines(report),
    own ? [] : whyLines(report),
    own || all.retries === 0 ? [] : wrap(unseen, ' '),
    [' assumed', ...report.assumptions.flatMap((sentence) => wrap(sentence, '  - '))],
    remarks.map((remark) => ` ${sanitise(remark)}`),
  ]);
}
