// SPDX-License-Identifier: MIT
/** `make fuzz`: node dist/test/fuzz/main.js [--cases N] [--seed N] [--from N] [TARGET…] */
import { parseArgs } from 'node:util';
import { fuzz, TARGETS } from './run.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    from: { type: 'string', default: '0' },
  },
});
const chosen = TARGETS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
if (chosen.length === 0 || positionals.some((word) => !TARGETS.some(({ name }) => name === word))) {
  process.stderr.write(`targets: ${TARGETS.map(({ name }) => name).join(' ')}\n`);
  process.exit(2);
}
// Whoever has no time left still learns what was tried.
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
let findings = 0;
for (const target of chosen) {
  if (stop.signal.aborted) break;
  const outcome = await fuzz(target, {
    seed: Number(values.seed),
    cases: Number(values.cases),
    from: Number(values.from),
    stop: stop.signal,
    onProgress: (done) => void (process.stderr.isTTY && process.stderr.write(`\r\x1b[K${target.name} ${done}`)),
  });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const { cases, used, seconds, slowestMs } = outcome;
  process.stdout.write(
    `${target.name.padEnd(12)} ${cases} cases, seed ${values.seed}, ${used} of them used, ${seconds.toFixed(0)} s, slowest ${slowestMs.toFixed(0)} ms, ${outcome.findings.length} findings\n`,
  );
  for (const finding of outcome.findings) process.stdout.write(`  ${finding.replaceAll('\n', '\n    ')}\n`);
  findings += outcome.findings.length;
}
process.exit(findings === 0 ? 0 : 1);
