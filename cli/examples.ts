// SPDX-License-Identifier: MIT
/** Examples of each command: in its help and in its man page. A test parses every line. */

export interface Example {
  /** What one types, without the program's name; what comes after a pipe too. */
  readonly words: string;
  readonly says: string;
}

/** By name of the command; '' is the program itself. */
export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  '': [
    { words: 'demo', says: 'the dashboard over a recording that comes with the program; needs no privilege' },
    { words: 'doctor', says: 'whether this host can be observed, and what to do if not' },
    { words: 'stat -d 10', says: 'what page faults did in ten seconds' },
  ],
  top: [
    { words: 'top', says: 'the whole host' },
    { words: 'top -p 4711 --stacks kernel,user', says: 'one process, with the stacks of its retries' },
    { words: 'top --connect /run/vmalocktop/socket', says: 'what the daemon observes; needs no privilege' },
  ],
  stat: [
    { words: 'stat -d 10', says: 'ten seconds of the whole host' },
    { words: 'stat -o summary.txt -- make -j8', says: 'one command, from its start to its end' },
    { words: 'stat --json trace.vmlt', says: 'a recording, as one JSON document' },
    { words: "stat -d 60 --fail-on 'retry_ratio > 0.01'", says: 'exit 1 when more than 1 % of attempts fell back' },
  ],
  record: [
    { words: 'record -o trace.vmlt -d 60', says: 'one minute into a file' },
    { words: 'record -o trace.vmlt --flight 60s', says: 'keep the last minute in memory; SIGUSR1 writes it' },
    { words: 'record -o - | vmalocktop replay -', says: 'through a pipe, also over ssh' },
  ],
  replay: [
    { words: 'replay trace.vmlt', says: 'the dashboard over a recording' },
    { words: 'replay trace.vmlt --from 23:59 --to 00:03', says: 'four minutes of it' },
    { words: 'replay trace.vmlt --alerts', says: 'with marks where alert rules fire' },
  ],
  demo: [
    { words: 'demo', says: 'the dashboard' },
    { words: 'demo | head -40', says: 'the summary, where there is no terminal' },
  ],
  diff: [
    { words: 'diff before.vmlt after.vmlt', says: 'one run against another' },
    {
      words: 'diff a1.vmlt b1.vmlt --a a2.vmlt a3.vmlt a4.vmlt a5.vmlt --b b2.vmlt b3.vmlt b4.vmlt b5.vmlt',
      says: 'five runs on each side: noise is what differs between runs',
    },
  ],
  report: [
    { words: 'report trace.vmlt -o trace.html', says: 'a page to read, mail and print' },
    { words: 'report after.vmlt --against before.vmlt -o change.html', says: 'with what differs from an earlier one' },
  ],
  export: [
    { words: 'export trace.vmlt -f perfetto -o trace.pftrace', says: 'for ui.perfetto.dev' },
    { words: 'export trace.vmlt -f parquet -t waits -o waits.parquet', says: 'one row for each wait, for DuckDB' },
    { words: 'export trace.vmlt -f folded --weight time -o trace.folded', says: 'stacks, for a flame graph' },
    { words: 'export trace.vmlt -f pprof -o trace.pb.gz', says: 'stacks, for pprof, Pyroscope or Parca' },
  ],
  info: [{ words: 'info trace.vmlt', says: 'losses first, then what is in it' }],
  check: [
    { words: 'check trace.vmlt', says: 'every rule over a recording' },
    { words: 'check -- ./reproducer', says: 'every rule while a command runs' },
  ],
  verdict: [
    { words: 'verdict trace.vmlt', says: 'drop, retry or keep the VMA lock, over the same faults' },
    { words: 'verdict -- ./workload', says: 'of the run of a command' },
  ],
  daemon: [
    { words: 'daemon --config /etc/vmalocktop/daemon.toml', says: 'as the systemd unit runs it' },
    { words: 'daemon --config daemon.toml --check-config', says: 'whether the configuration can be used' },
  ],
  doctor: [
    { words: 'doctor', says: 'all there is to say' },
    { words: 'doctor --quiet', says: 'the verdict in one line' },
  ],
  completion: [
    { words: 'completion bash > /etc/bash_completion.d/vmalocktop', says: 'for every user of this host' },
    { words: 'completion fish', says: 'to ~/.config/fish/completions/vmalocktop.fish' },
  ],
};

/** The block below the options in `--help`. */
export function examplesText(program: string, command: string): string {
  const rows = EXAMPLES[command] ?? [];
  const lines = rows.flatMap(({ words, says }) => [`  ${program} ${words}`, `      ${says}`]);
  return `\nExamples:\n${lines.join('\n')}`;
}
