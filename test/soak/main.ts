// SPDX-License-Identifier: MIT
/** `make soak`: an hour (SOAK_MINUTES) of the daemon with every feature on; one line a minute; exit code 1 on a finding. */
import { levelsOf } from './levels.js';
import { type Sample, soak } from './soak.js';

const minutes = Number(process.env.SOAK_MINUTES ?? 60);
if (!(minutes >= 2)) {
  process.stderr.write('cannot soak: SOAK_MINUTES is no number of at least 2\n→ set it to minutes, such as 60\n');
  process.exit(2);
}

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
const COLUMNS: readonly (readonly [title: string, of: (sample: Sample) => string])[] = [
  ['minute', (s) => s.minute.toFixed(0)],
  ['RSS MiB', (s) => mib(s.rssBytes)],
  ['heap MiB', (s) => mib(s.heapBytes)],
  ['buffers MiB', (s) => mib(s.bufferBytes)],
  ['fds', (s) => String(s.descriptors)],
  ['threads', (s) => String(s.threads)],
  ['open', (s) => String(s.open)],
  ['evicted', (s) => String(s.evicted)],
  ['forgotten', (s) => String(s.forgotten)],
  ['series', (s) => String(s.series)],
  ['CPU %', (s) => (s.cpuShare * 100).toFixed(0)],
];
const RATE = 50_000;
const line = (cells: readonly string[]): void => {
  process.stdout.write(`${cells.map((cell, i) => cell.padStart(COLUMNS[i]?.[0].length ?? 0)).join('  ')}\n`);
};

line(COLUMNS.map(([title]) => title));
let next = 0;
/** Shares of a core since the line before. */
let shares: number[] = [];
const { sent, samples, figures, findings } = await soak({
  seconds: minutes * 60,
  rate: RATE,
  faults: 24_000,
  threads: 2000,
  openFaults: 16_384,
  sampleMs: 5000,
  levels: true,
  onSample: (sample) => {
    shares.push(sample.cpuShare);
    if (sample.minute < next) return;
    next = Math.floor(sample.minute) + 1;
    const cpuShare = shares.reduce((x, y) => x + y, 0) / shares.length;
    shares = [];
    line(COLUMNS.map(([, of]) => of({ ...sample, cpuShare })));
  },
});
const { third, last } = levelsOf(samples.map(({ rssBytes }) => rssBytes));
const { rounds, round, rows, perSecond } = sent;
process.stdout.write(`
${rows} rows at ${perSecond} a second, ${rounds} rounds of 2000 threads that never came again
records: ${rounds * round.events.emitted} emitted, ${rounds * round.events.decoded} decoded, ${rounds * round.events.dropped} dropped
resident memory: ${mib(third)} MiB in the third quarter, ${mib(last)} MiB in the last
clients: ${figures.came} came, ${figures.dropped} stopped reading and were dropped; ${mib(figures.bytes ?? 0)} MiB read
alerts: ${figures.fired} fired, ${figures.webhooks} webhooks; lifecycles ended: ${figures.lifecycles}
`);
if (perSecond < RATE * 0.95)
  process.stdout.write(`the machine was busy: ${perSecond} rows a second could be taken, of the ${RATE} meant\n`);
for (const finding of findings) process.stdout.write(`finding: ${finding}\n`);
process.stdout.write(findings.length === 0 ? 'no findings\n' : '');
process.exitCode = findings.length === 0 ? 0 : 1;
