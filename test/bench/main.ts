// SPDX-License-Identifier: MIT
/**
 * `make bench`: what each stage and each command takes on this machine, as tables in BENCHMARKS.md. Names of sections as
 * arguments (stages, dashboard, load, ring, ready, growth): only those, printed and not written.
 */
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
import { heavySections } from './heavy.js';
import { benchLifecycles } from './lifecycles.js';
import { benchPerfScript, type PerfBench } from './perf-script.js';
import { benchRecording, type RecordingBench } from './recording.js';
import { copyOf, repeated } from './repeat.js';
import { benchRingDecode } from './ring.js';
import { million, table } from './words.js';

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

/** Replaces what stands between the markers; appends both where the file has none. */
function insert(text: string, section: string): string {
  const block = `${BEGIN}\n${section}\n${END}`;
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  if (from === -1 || to < from) return `${text.trimEnd()}\n\n${block}\n`.trimStart();
  return text.slice(0, from) + block + text.slice(to + END.length);
}

/** Of every section that is asked for, in this order. */
const SECTIONS: Readonly<Record<string, () => Promise<string>>> = { stages, dashboard, ...heavySections };

/** For the README's table. */
let measured: { readonly recording: RecordingBench; readonly perf: PerfBench | string } | null = null;

async function stages(): Promise<string> {
  const { batches: once, session, what } = await input();
  const batches = repeated(once, TIMES);
  const ring = benchRingDecode();
  const lifecycles = benchLifecycles(batches, session);
  const recording = await benchRecording(batches, session);
  const perf = benchPerfScript(events(once));
  measured = { recording, perf };
  return [
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
  ].join('\n');
}

async function dashboard(): Promise<string> {
  const cost = await benchDashboard();
  const rate = Math.round(cost.eventsPerSec / 1000);
  return [
    `The dashboard at 160×45 and 1 Hz, over a stream of ${rate} k events/s from 500 processes:`,
    '',
    table(dashboardRows(cost), 'Dashboard'),
  ].join('\n');
}

function readmeTable({ recording, perf }: NonNullable<typeof measured>): string {
  const beside = typeof perf === 'string' ? null : perf;
  return [
    '| On one core | vmalocktop | `perf script` |',
    '|---|---|---|',
    `| read, and rebuilt into faults or printed | ${million(recording.rebuiltEventsPerSec)} | ${beside === null ? '–' : million(beside.eventsPerSec)} |`,
    `| written | ${million(recording.writeEventsPerSec)} | – |`,
    `| size of an event in a file | ${recording.bytesPerEvent.toFixed(1)} bytes | ${beside === null ? '–' : `${beside.bytesPerEvent.toFixed(1)} bytes`} |`,
  ].join('\n');
}

const asked = process.argv.slice(2);
const unknown = asked.find((name) => SECTIONS[name] === undefined);
if (unknown !== undefined) {
  process.stderr.write(
    `cannot measure ${unknown}: no such section\n→ name one of ${Object.keys(SECTIONS).join(', ')}\n`,
  );
  process.exit(2);
}
const texts: string[] = [];
for (const [name, make] of Object.entries(SECTIONS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const text = await make();
  process.stdout.write(`${text}\n\n`);
  texts.push(text);
}
if (asked.length === 0) {
  const write = (path: string, text: string): void =>
    writeFileSync(path, insert(existsSync(path) ? readFileSync(path, 'utf8') : '# Benchmarks\n', text));
  write(BENCHMARKS, texts.join('\n\n'));
  if (measured !== null) write(README, readmeTable(measured));
}
// What a measure that failed left running must not hold us.
process.exit(0);
