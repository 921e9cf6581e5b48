// SPDX-License-Identifier: MIT
/** The daemon with everything on under a storm of swap faults: its share of a core, and its memory. */
import { spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { scratch, until } from '../daemon/support.js';
import { scrape } from '../metrics/scrape.js';
import { booksOf } from '../soak/books.js';
import { startDaemon } from '../soak/daemon-child.js';
import { forgetPeak, takenBy, waitedSeconds } from '../soak/proc.js';
import type { Sent } from '../soak/send.js';
import { webhookSink } from '../soak/visitors.js';
import type { StormOptions } from './swap-storm.js';
import { count, mib, percent, type Row, waitedRow } from './words.js';

const GENERATOR = fileURLToPath(new URL('./swap-storm-generate.js', import.meta.url));
/** The default of `budget.open_faults` would do as well: five faults of the storm are open at a time. */
const OPEN_FAULTS = 16_384;
const SCRAPE_MS = 5000;

export interface LoadOptions extends StormOptions {
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

export interface Load {
  readonly sent: Sent;
  /** Faults a second that were really sent, and how many of them retried. */
  readonly faultsPerSec: number;
  readonly retriesPerSec: number;
  readonly recordsPerSec: number;
  readonly cpuShare: number;
  /** Share of the time that its main thread was ready to run and had no core; null: not known. */
  readonly waitedShare: number | null;
  readonly peakRssBytes: number;
  /** The peak is not that of its start as well. */
  readonly sinceWarm: boolean;
  /** What the daemon counted otherwise than it was sent. */
  readonly findings: readonly string[];
}

export async function benchLoad(options: LoadOptions): Promise<Load> {
  const { warmUpSeconds, seconds, faults, retries, threads } = options;
  const directory = scratch();
  chmodSync(directory.path, 0o777);
  const webhook = await webhookSink();
  const argv = [faults, retries, threads].map(String);
  const generator = spawn(process.execPath, [GENERATOR, ...argv], { stdio: 'pipe' });
  let said = '';
  generator.stderr.on('data', (bytes) => {
    said += String(bytes);
  });
  const ended = (): string | undefined => /^\{.*\}$/m.exec(said)?.[0];
  const daemon = await startDaemon(directory.path, generator.stdout, OPEN_FAULTS, webhook.port);
  const scraping = setInterval(() => void scrape(daemon.url).catch(() => {}), SCRAPE_MS);
  try {
    await delay(warmUpSeconds * 1000);
    const sinceWarm = forgetPeak(daemon.pid);
    const [before, waited, begun] = [takenBy(daemon.pid), waitedSeconds(daemon.pid), performance.now()];
    await delay(seconds * 1000);
    const [after, took] = [takenBy(daemon.pid), (performance.now() - begun) / 1000];
    const waitedShare = waited === null ? null : ((waitedSeconds(daemon.pid) ?? Number.NaN) - waited) / took;
    generator.stdin.write('end\n');
    const line = await until(ended, (text) => text !== undefined || generator.exitCode !== null, 600);
    if (line === undefined) throw new Error(`the stream broke off: ${said}`);
    const sent = JSON.parse(line) as Sent;
    const books = async (): Promise<string[]> => booksOf(sent, await scrape(daemon.url));
    const findings = await until(books, (words) => words.length === 0, 300).catch(books);
    const code = await daemon.end();
    if (code !== 0) findings.push(`exit code ${code}`);
    const { round, rounds } = sent;
    const perSecond = (ofOneRound: number): number => (sent.perSecond * rounds * ofOneRound) / sent.rows;
    return {
      sent,
      faultsPerSec: perSecond(round.swap.faults ?? Number.NaN),
      retriesPerSec: perSecond(round.counts.vmaLock.retry),
      recordsPerSec: perSecond(round.events.emitted),
      cpuShare: (after.cpuSeconds - before.cpuSeconds) / took,
      waitedShare,
      peakRssBytes: after.peakRssBytes,
      sinceWarm,
      findings,
    };
  } finally {
    clearInterval(scraping);
    generator.kill('SIGKILL');
    daemon.process.kill('SIGKILL');
    webhook.server.close();
    directory.remove();
  }
}

export function loadRows(load: Load): Row[] {
  return [
    ['swap faults sent, a second', `${count(load.faultsPerSec)}, of which ${count(load.retriesPerSec)} retried`],
    ['records of these, a second', count(load.recordsPerSec)],
    ['CPU, of a core (goal: 5%)', percent(load.cpuShare)],
    waitedRow(load.waitedShare),
    ['peak RSS (goal: 160 MiB)', `${mib(load.peakRssBytes)}${load.sinceWarm ? '' : ', its start included'}`],
    ['books at the end', load.findings.length === 0 ? 'every record and fault counted' : load.findings.join('; ')],
  ];
}
