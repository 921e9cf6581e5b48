// SPDX-License-Identifier: MIT
/** `make bench`: events per second through each stage on this machine, as a table in BENCHMARKS.md. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { openFile } from '../../src/recording/read/file.js';
import { syntheticSession } from '../core/session.js';
import { synthesize } from '../core/synthetic.js';
import { benchDashboard, dashboardRows } from './dashboard.js';
import { benchLifecycles } from './lifecycles.js';
import { benchPerfScript } from './perf-script.js';
import { benchRecording } from './recording.js';
import { copyOf, repeated } from './repeat.js';
import { benchRingDecode } from './ring.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const GOLDEN = join(ROOT, 'test/golden');
const BENCHMARKS = join(ROOT, 'BENCHMARKS.md');
const README = join(ROOT, 'README.md');
const SYNTHETIC_FAULTS = 100_000;
/** A bundled recording is small; this often it is a minute's storm. */
const TIMES = 20;
const BEGIN = '<!-- bench -->';
const END = '<!-- /bench -->';

/** A real recording where the tree has one, else a made-up stream; and which it is, in words. */
async function input(): Promise<{
  readonly batches: readonly EventBatch[];
  readonly session: SessionInfo;
  readonly what: string;
}> {
  const recordings = existsSync(GOLDEN)
    ? readdirSync(GOLDEN)
        .filter((name) => name.endsWith('.vmlt'))
        .sort()
    : [];
  // A swap storm where there is one: the load the figures are about.
  const name = recordings.find((file) => file.startsWith('swap')) ?? recordings[0];
  if (name === undefined) {
    const batches = synthesize(SYNTHETIC_FAULTS, 1);
    return {
      batches,
      session: syntheticSession(),
      what: `${events(batches)} synthetic events (no recording in test/golden)`,
    };
  }
  const source = await openFile(join(GOLDEN, name));
  const batches: EventBatch[] = [];
  for await (const batch of source.batches()) batches.push(copyOf(batch));
  await source.close();
  return {
    batches,
    session: source.session,
    what: `${events(batches)} events of the recording test/golden/${name} (kernel ${source.session.kernel})`,
  };
}

function events(batches: readonly EventBatch[]): number {
  return batches.reduce((sum, batch) => sum + batch.length, 0);
}

const million = (perSecond: number): string => `${(perSecond / 1e6).toFixed(2)} M events/s`;

function table(rows: readonly (readonly [what: string, figure: string])[], head = 'Stage'): string {
  return [`| ${head} | Figure |`, '|---|---|', ...rows.map(([stage, figure]) => `| ${stage} | ${figure} |`)].join('\n');
}

/** Replaces what stands between the markers; appends both where the file has none. */
function insert(text: string, section: string): string {
  const block = `${BEGIN}\n${section}\n${END}`;
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  if (from === -1 || to < from) return `${text.trimEnd()}\n\n${block}\n`.trimStart();
  return text.slice(0, from) + block + text.slice(to + END.length);
}

const { batches: once, session, what } = await input();
const batches = repeated(once, TIMES);
const ring = benchRingDecode();
const lifecycles = benchLifecycles(batches, session);
const recording = await benchRecording(batches, session);
const perf = benchPerfScript(events(once));
const dashboard = await benchDashboard();
const section = [
  `Node ${process.versions.node}, Linux ${release()}, ${cpus()[0]?.model ?? 'CPU not known'}, one thread.`,
  `Lifecycles and recording: ${TIMES} times the ${what}. Ring: records written as the kernel writes them.`,
  '',
  table([
    ['ring buffer: drain and decode', million(ring.eventsPerSec)],
    ['lifecycles: fold, aggregate, snapshot', million(lifecycles.eventsPerSec)],
    ['recording: write (Arrow, zstd)', million(recording.writeEventsPerSec)],
    ['recording: read', million(recording.readEventsPerSec)],
    ['recording: read and rebuilt into lifecycles', million(recording.rebuiltEventsPerSec)],
    ['recording: size', `${recording.bytesPerEvent.toFixed(1)} bytes/event`],
    ...(typeof perf === 'string'
      ? [[`perf script, for comparison`, `not measured: ${perf}`] as const]
      : [
          [`perf script over ${perf.events} samples, for comparison`, million(perf.eventsPerSec)] as const,
          ['perf.data: size', `${perf.bytesPerEvent.toFixed(1)} bytes/event`] as const,
        ]),
  ]),
  '',
  `The dashboard at 160×45 and 1 Hz, over a stream of ${Math.round(dashboard.eventsPerSec / 1000)} k events/s from 500 processes:`,
  '',
  table([...dashboardRows(dashboard)], 'Dashboard'),
].join('\n');
process.stdout.write(`${section}\n`);
const write = (path: string, text: string): void =>
  writeFileSync(path, insert(existsSync(path) ? readFileSync(path, 'utf8') : '# Benchmarks\n', text));
write(BENCHMARKS, section);
const beside = typeof perf === 'string' ? null : perf;
write(
  README,
  [
    '| On one core | vmalocktop | `perf script` |',
    '|---|---|---|',
    `| read, and rebuilt into faults or printed | ${million(recording.rebuiltEventsPerSec)} | ${beside === null ? '–' : million(beside.eventsPerSec)} |`,
    `| written | ${million(recording.writeEventsPerSec)} | – |`,
    `| size of an event in a file | ${recording.bytesPerEvent.toFixed(1)} bytes | ${beside === null ? '–' : `${beside.bytesPerEvent.toFixed(1)} bytes`} |`,
  ].join('\n'),
);
