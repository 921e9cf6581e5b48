// SPDX-License-Identifier: MIT
/** The daemon with everything on, over a stream on its standard input. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { MAIN } from '../cli/run.js';
import { until } from '../daemon/support.js';

const RULES = fileURLToPath(new URL('../../../share/alerts/default.toml', import.meta.url));

/** The shipped rules, and for each grouping one that holds for whatever comes and goes. */
function configText(directory: string, openFaults: number, webhookPort: number): string {
  const groups = ['process', 'cgroup', 'cause'].map(
    (by) => `[[rule]]
name = "each-${by}"
when = "${by === 'cause' ? 'rate' : 'retry_rate'} > 0"
group_by = "${by}"
severity = "info"
clear_for = "1s"
cooldown = "5s"
`,
  );
  return `[metrics]
listen = "127.0.0.1:0"
[privileges]
user = "nobody"
[socket]
path = "${join(directory, 'socket')}"
[flight]
keep = "30s"
directory = "${join(directory, 'flights')}"
files = 5
[budget]
drops = false
open_faults = ${openFaults}
[[action]]
type = "log"
[[action]]
type = "exec"
argv = ["/bin/cat"]
[[action]]
type = "webhook"
url = "http://127.0.0.1:${webhookPort}/"
[[action]]
type = "flight-recorder"
per_minute = 1
${readFileSync(RULES, 'utf8')}
${groups.join('')}`;
}

export interface DaemonChild {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly url: string;
  readonly socket: string;
  readonly flights: string;
  /** What it said, without what alerts said. */
  readonly words: readonly string[];
  /** Ends it in order; its exit code. */
  end(): Promise<number | null>;
}

export async function startDaemon(
  directory: string,
  stream: Readable,
  openFaults: number,
  webhookPort: number,
): Promise<DaemonChild> {
  const config = join(directory, 'daemon.toml');
  writeFileSync(config, configText(directory, openFaults, webhookPort));
  const child = spawn(process.execPath, [MAIN, 'daemon', '--config', config, '--play', '-'], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  // A daemon that dies is found by its exit code, not by our end of the pipe.
  child.stdin.on('error', () => {});
  stream.pipe(child.stdin);
  const words: string[] = [];
  let rest = '';
  child.stderr.on('data', (bytes) => {
    const lines = (rest + String(bytes)).split('\n');
    rest = lines.pop() ?? '';
    words.push(...lines.filter((line) => !/ (firing|resolved)\b|flight recorder written|was reloaded/.test(line)));
  });
  await until(
    () => words.join('\n'),
    (text) => text.includes('observing') || child.exitCode !== null,
  );
  const url = /(http:\S+)\/metrics/.exec(words.join('\n'))?.[1];
  if (url === undefined) throw new Error(`the daemon did not start: ${words.join('\n')}`);
  return {
    process: child,
    pid: child.pid ?? 0,
    url,
    socket: join(directory, 'socket'),
    flights: join(directory, 'flights'),
    words,
    end: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      const [code] = (await exit) as [number | null];
      return code;
    },
  };
}
