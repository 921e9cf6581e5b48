// SPDX-License-Identifier: MIT
/** The soak: the daemon's own process under a paced stream for some time, looked at from outside. */
import { spawn } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { scratch, until } from '../daemon/support.js';
import { byLabel, type Scraped, scrape } from '../metrics/scrape.js';
import { booksOf } from './books.js';
import { startDaemon } from './daemon-child.js';
import { notFlat } from './levels.js';
import { type Usage, usageOf } from './proc.js';
import type { Sent } from './send.js';
import { visit, webhookSink } from './visitors.js';

const GENERATOR = fileURLToPath(new URL('./generate.js', import.meta.url));

export interface SoakOptions {
  readonly seconds: number;
  /** Rows a second. */
  readonly rate: number;
  /** Of one round of the stream; its threads are gone with it. */
  readonly faults: number;
  readonly threads: number;
  /** `budget.open_faults`. */
  readonly openFaults: number;
  readonly sampleMs: number;
  /** Levels of memory are looked at: only in a run that is long enough to have levels. */
  readonly levels: boolean;
  onSample?(sample: Sample): void;
}

export interface Sample extends Usage {
  readonly minute: number;
  readonly heapBytes: number;
  readonly bufferBytes: number;
  readonly open: number;
  readonly evicted: number;
  readonly forgotten: number;
  readonly series: number;
  /** Of one core, since the sample before. */
  readonly cpuShare: number;
}

export interface Soaked {
  readonly sent: Sent;
  readonly samples: readonly Sample[];
  readonly figures: Readonly<Record<string, number>>;
  /** What is wrong, in words. */
  readonly findings: readonly string[];
}

/** Memory may be so much higher or lower, as a share. */
const FLAT = 0.1;
/** Beyond what it has with nobody there: clients that stay, one that idles, a scrape, an action's pipes, a flight file. */
const DESCRIPTORS = 24;
/** libuv starts its threads when they are first needed. */
const THREADS = 4;
/** More than there are label values, causes and top processes. */
const SERIES = 1000;

const sum = (values: Record<string, number>): number => Object.values(values).reduce((x, y) => x + y, 0);

export async function soak(options: SoakOptions): Promise<Soaked> {
  const directory = scratch();
  chmodSync(directory.path, 0o777);
  const webhook = await webhookSink();
  const { seconds, rate, faults, threads, openFaults } = options;
  const generator = spawn(process.execPath, [GENERATOR, ...[seconds, rate, faults, threads].map(String)], {
    stdio: 'pipe',
  });
  let said = '';
  generator.stderr.on('data', (bytes) => {
    said += String(bytes);
  });
  const result = (): string | undefined => /^\{.*\}$/m.exec(said)?.[0];
  const daemon = await startDaemon(directory.path, generator.stdout, openFaults, webhook.port);
  const before = usageOf(daemon.pid);
  const visits = visit(daemon, !options.levels);
  const samples: Sample[] = [];
  const findings: string[] = [];
  try {
    const begun = performance.now();
    let last = { usage: before, at: begun };
    while (generator.exitCode === null && result() === undefined) {
      await delay(options.sampleMs);
      if (daemon.process.exitCode !== null) throw new Error(`the daemon ended: ${daemon.words.slice(-5).join('\n')}`);
      const metrics = await scrape(daemon.url);
      const usage = usageOf(daemon.pid);
      const at = performance.now();
      const cpuShare = (usage.cpuSeconds - last.usage.cpuSeconds) / ((at - last.at) / 1000);
      last = { usage, at };
      const sample = { ...usage, ...ofMetrics(metrics), cpuShare, minute: (at - begun) / 60_000 };
      samples.push(sample);
      options.onSample?.(sample);
    }
    const line = result();
    if (line === undefined) throw new Error(`the stream ended: ${said}`);
    const sent = JSON.parse(line) as Sent;
    visits.stop();
    const expected = sent.rounds * sent.round.events.decoded;
    const metrics = await until(
      () => scrape(daemon.url),
      (now) => (byLabel(now, 'vmalocktop_events_total').decoded ?? 0) >= expected,
      500,
    ).catch(() => scrape(daemon.url)); // what is lacking then, the books say
    await until(
      () => usageOf(daemon.pid).descriptors,
      (descriptors) => descriptors <= before.descriptors + 2,
    ).catch((error: unknown) => findings.push(`descriptors that stay: ${error}, before: ${before.descriptors}`));
    findings.push(...booksOf(sent, metrics), ...bounds(options, before, samples));
    const flights = readdirSync(daemon.flights).length;
    if (flights === 0 || flights > 5) findings.push(`${flights} files of the flight recorder`);
    // Actions under way when the stream ends have a bounded time, which a busy machine may use up: it is said.
    const odd = daemon.words.filter((line) => !/observing|more events are dropped|given up: ending/.test(line));
    if (odd.length > 0) findings.push(`it said: ${odd.slice(0, 5).join('; ')}`);
    const code = await daemon.end();
    if (code !== 0) findings.push(`exit code ${code}`);
    const figures = {
      ...visits.figures,
      webhooks: webhook.taken(),
      dropped: byLabel(metrics, 'vmalocktop_socket_connections_total').dropped ?? 0,
      fired: [...metrics].reduce(
        (all, [key, value]) => all + (key.startsWith('vmalocktop_alerts_fired') ? value : 0),
        0,
      ),
      lifecycles: sum(byLabel(metrics, 'vmalocktop_lifecycles_total')),
    };
    if (visits.figures.came === 0 || visits.figures.bytes === 0) findings.push('no client read anything');
    if (figures.webhooks === 0) findings.push('no webhook came');
    return { sent, samples, figures, findings };
  } finally {
    visits.stop();
    generator.kill('SIGKILL');
    daemon.process.kill('SIGKILL');
    webhook.server.close();
    directory.remove();
  }
}

function ofMetrics(metrics: Scraped): Omit<Sample, keyof Usage | 'minute' | 'cpuShare'> {
  const { heap = Number.NaN, buffers = Number.NaN } = byLabel(metrics, 'vmalocktop_daemon_memory_bytes');
  return {
    heapBytes: heap,
    bufferBytes: buffers,
    open: metrics.get('vmalocktop_lifecycles_in_flight') ?? Number.NaN,
    evicted: metrics.get('vmalocktop_lifecycles_evicted_total') ?? Number.NaN,
    forgotten: sum(byLabel(metrics, 'vmalocktop_table_rows_forgotten_total')),
    series: metrics.size,
  };
}

/** What must stay below a bound, or where it was. */
function bounds(options: SoakOptions, before: Usage, samples: readonly Sample[]): string[] {
  const findings: string[] = [];
  const most = (what: string, of: (sample: Sample) => number, bound: number): void => {
    const value = Math.max(...samples.map(of));
    if (!(value <= bound)) findings.push(`${what}: ${value}, at most ${bound}`);
  };
  most('descriptors', (sample) => sample.descriptors, before.descriptors + DESCRIPTORS);
  most('threads', (sample) => sample.threads, before.threads + THREADS);
  most('open lifecycles', (sample) => sample.open, options.openFaults);
  most('series', (sample) => sample.series, SERIES);
  if (!options.levels) return findings;
  const flat = (what: string, of: (sample: Sample) => number): void => {
    const words = notFlat(what, samples.map(of), FLAT);
    if (words !== null) findings.push(words);
  };
  flat('resident memory', (sample) => sample.rssBytes);
  flat('threads', (sample) => sample.threads);
  flat('series', (sample) => sample.series);
  return findings;
}
