// SPDX-License-Identifier: MIT
/** The summary of `stat` as text, in the manner of perf stat: the figure first, then what it counts. Pure. */
import { type VmstatRow, vmaAttempts } from '../../../src/core/aggregate/outcomes.js';
import type { Snapshot } from '../../../src/core/aggregate/snapshot.js';
import { pidWords } from '../../../src/core/events/session.js';
import { ENDS } from '../../../src/core/lifecycle/lifecycle.js';
import { blocksOf, type CleanText } from '../../../src/core/present/clean.js';
import { conclusion } from '../../../src/core/present/conclusion.js';
import { formatBytes, formatDuration, formatExact, formatShare } from '../../../src/core/present/format.js';
import { emittedWords } from '../../../src/core/present/rows.js';
import { sanitise, wrapWords } from '../../../src/core/present/text.js';
import { type AbortCause, RETRY_CAUSES, type RetryCause } from '../../../src/core/vocabulary/causes.js';
import { blockers } from './blockers.js';
import { count, remark, row } from './rows.js';
import { cgroups, mmapLock, others, processes, stacks, swapping, verdicts, vmas, waits, writers } from './tables.js';

/** `equal`, or by how much the kernel's own count differs, and why. */
function vmstatLine({ line, counted, least, most, difference, why }: VmstatRow): string {
  const span = least === most ? '' : `, ${formatExact(most - least)} of them while the session began or ended`;
  const verdict =
    difference === 0
      ? `equal${span}`
      : `${formatExact(Math.abs(difference))} ${difference < 0 ? 'more' : 'fewer'} than counted here: ${why}`;
  return row(formatExact(difference === 0 ? counted : difference < 0 ? least : most), `/proc/vmstat ${line}`, verdict);
}

function outcomes({ counts, vmstat }: Snapshot): string[] {
  const { vmaLock } = counts;
  const attempts = vmaAttempts(vmaLock);
  const { accessError } = vmaLock;
  return [
    row(formatExact(counts.faults), 'page faults'),
    count(vmaLock.success, 'done under the VMA lock', attempts, 'VMA-lock attempts'),
    count(vmaLock.retry, 'RETRY: fell back to mmap_lock', attempts, 'VMA-lock attempts'),
    count(vmaLock.completed, 'COMPLETED under the VMA lock', attempts, 'VMA-lock attempts'),
    count(vmaLock.error, 'errors under the VMA lock', attempts, 'VMA-lock attempts'),
    ...(accessError === null
      ? []
      : [count(accessError, 'access errors under the VMA lock', attempts, 'VMA-lock attempts')]),
    count(vmaLock.abort, 'ABORT: no VMA lock taken', counts.faults, 'faults'),
    row(formatExact(counts.mmapLock), 'attempts under mmap_lock'),
    row(formatExact(counts.kernelMode), 'kernel-mode faults, never tried'),
    ...(vmstat ?? []).map(vmstatLine),
  ];
}

const MAX_NAMED = 3;

function causes({ retry, abort, handlers, causeCosts }: Snapshot): string[] {
  const named = (what: string, counts: readonly (readonly [string, number])[]): string =>
    counts.length === 0
      ? ''
      : `, ${what}: ${counts
          .slice(0, MAX_NAMED)
          .map(([name, times]) => `${sanitise(name)} ${formatExact(times)}`)
          .join(', ')}`;
  const notes: Partial<Record<RetryCause, string>> = {
    unknown: named(
      'innermost',
      Object.entries(retry.unknownBy).sort(([, m], [, n]) => n - m),
    ),
    'driver or file system': named(
      '->fault',
      handlers.map(({ name, address, retries }) => [name || `0x${address.toString(16)}`, retries]),
    ),
  };
  const lines = RETRY_CAUSES.filter((cause) => retry.byCause[cause] > 0).map((cause) => {
    const share = `${formatShare(retry.byCause[cause] / retry.total)} of followed retries`;
    return row(formatExact(retry.byCause[cause]), `retries: ${cause}`, `${share}${notes[cause] ?? ''}`);
  });
  const { done, retry: again, other } = retry.secondTries;
  if (done + again + other > 0)
    lines.push(
      row(
        formatExact(done + again + other),
        'second tries under the VMA lock',
        `done there ${formatExact(done)}, RETRY again ${formatExact(again)}${other > 0 ? `, other ${formatExact(other)}` : ''}`,
      ),
    );
  for (const [cause, times] of Object.entries(abort.byCause)) {
    const cost = causeCosts[cause as AbortCause];
    const lost =
      cost === undefined ? '' : `lost ${formatDuration(cost.lostNs)}, at worst ${formatDuration(cost.worstNs)}`;
    if (times > 0) lines.push(row(formatExact(times), `aborts: ${cause}`, lost));
  }
  return lines;
}

type Forgotten = keyof NonNullable<Snapshot['forgotten']>;

const FORGOTTEN: Readonly<Record<Forgotten, string>> = {
  processes: 'rows of processes',
  cgroups: 'rows of cgroups',
  addresses: 'rows of pages',
  lateSteps: 'steps of faults given up',
  writers: 'rows of writers',
  blockers: 'rows of blockers',
  holds: 'holds no longer known when a wait behind them ended',
  windows: 'writers beside waits no longer known',
  writerEvents: 'waits beside writers no longer known',
  folios: 'herds cut in two',
  names: 'names',
};

function trust(snapshot: Snapshot): string[] {
  const { events, lifecycles, overhead, session } = snapshot;
  const lines = [
    row(formatExact(events.decoded), 'events decoded', `of ${emittedWords(events, formatExact)} emitted`),
    row(formatExact(events.dropped), 'events dropped: the ring was full'),
    row(formatExact(events.missed), 'program runs missed by the kernel'),
    row(
      formatExact(lifecycles.total),
      'lifecycles followed',
      ENDS.filter((end) => lifecycles.byEnd[end] > 0)
        .map((end) => `${end} ${formatExact(lifecycles.byEnd[end])}`)
        .join(', '),
    ),
    row(formatExact(lifecycles.incomplete), 'of them incomplete: steps lost'),
  ];
  const full = Object.entries(snapshot.forgotten ?? {}).filter(([, times]) => times > 0);
  if (full.length > 0) {
    const which = full.map(([what, times]) => `${FORGOTTEN[what as Forgotten]} ${formatExact(times)}`).join(', ');
    lines.push(remark(`left out because a table was full: ${which}`));
  }
  if (overhead.measuredNs > 0) {
    const ran = overhead.programs.reduce((sum, program) => sum + program.runTimeNs, 0);
    lines.push(
      row(
        formatDuration(ran),
        'spent in our BPF programs',
        `in ${formatDuration(overhead.measuredNs)} measured, all CPUs`,
      ),
    );
  }
  if (overhead.selfCpuNs > 0) {
    lines.push(
      row(
        formatDuration(overhead.selfCpuNs),
        'CPU time of vmalocktop itself',
        `RSS ${formatBytes(overhead.selfRssBytes)}`,
      ),
    );
  }
  const { missing, failedStacks } = snapshot.names;
  const failed = failedStacks.kernel + failedStacks.user;
  if (failed > 0) lines.push(row(formatExact(failed), 'stacks asked for that could not be taken'));
  for (const why of missing) lines.push(remark(sanitise(`no names: ${why}`)));
  for (const hook of session.hooks) {
    if (!hook.attached)
      lines.push(remark(sanitise(`not hooked: ${hook.target}${hook.note === '' ? '' : ` (${hook.note})`}`)));
  }
  return lines;
}

/** The text above the tables is folded there: a terminal of 80 columns shows it whole. */
const WIDTH = 78;

function headed(heading: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [heading, ...lines];
}

/** `note` is a line about the whole (the command's exit, a cut-off recording); none when empty. */
export function statText(snapshot: Snapshot, notes: readonly string[] = []): CleanText {
  const { session } = snapshot;
  const head = `${sanitise(session.host)}, Linux ${sanitise(session.kernel)}, scope ${session.scope}, VMA-lock releases ${session.release}`;
  const pids = pidWords(session);
  const blocks = [
    pids === '' ? [` ${head}`] : [` ${head}`, ` ${pids}`],
    conclusion(snapshot).flatMap((sentence) => wrapWords(sanitise(sentence), WIDTH).map((line) => ` ${line}`)),
    headed('How faults went', outcomes(snapshot)),
    headed('Why they fell back', causes(snapshot)),
    headed('Could it have been avoided', verdicts(snapshot)),
    headed('What they waited for', waits(snapshot)),
    headed('Time to get mmap_lock', mmapLock(snapshot)),
    headed('Who held it', blockers(snapshot)),
    headed('Writers', writers(snapshot)),
    headed('Processes', processes(snapshot)),
    headed('VMAs', vmas(snapshot)),
    headed('Control groups', cgroups(snapshot)),
    headed('Stacks', stacks(snapshot)),
    headed('Swap and progress', swapping(snapshot)),
    headed('Other users of VMA locks', others(snapshot)),
    headed('What is missing, and what it cost', trust(snapshot)),
    [row(formatDuration(snapshot.durationNs), 'observed'), ...notes.map((note) => ` ${note}`)],
  ];
  return blocksOf(blocks);
}
