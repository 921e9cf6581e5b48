// SPDX-License-Identifier: MIT
/** Options that several commands share, each defined once. */
import { type Command, Option } from 'commander';
import type { Scope } from '../../src/core/events/session.js';
import type { ReleaseWish } from '../../src/live/options.js';
import type { When } from '../../src/recording/read/when.js';
import { addCgroupOptions, type CgroupCliOptions } from './cgroup-options.js';
import {
  parseComm,
  parseHooks,
  parseIds,
  parseMicroseconds,
  parseRingSize,
  parseSeconds,
  parseStacks,
  parseTime,
  type StackKind,
} from './parse.js';
import { beVerbose } from './process.js';

/** What choosing, filtering and timing of a live session comes to. */
export interface LiveCliOptions extends CgroupCliOptions {
  readonly pid: readonly number[];
  readonly tid: readonly number[];
  readonly comm?: string;
  readonly scope: Scope;
  readonly minUs: number;
  readonly ringSize: number;
  readonly release: ReleaseWish;
  /** `--no-writers` */
  readonly writers: boolean;
  readonly writerMinUs: number;
  readonly holdMinUs: number;
  readonly stacks?: readonly StackKind[];
  /** Where the host's files are, for cgroups and names of containers. */
  readonly hostRoot: string;
  /** `--no-lock` */
  readonly lock: boolean;
  readonly without: readonly string[];
  /** Seconds; absent: until it is ended. */
  readonly duration?: number;
}

/** Headings under which `--help` and the man page list options. */
export const GROUPS = {
  which: 'Which faults:',
  extent: 'Time range:',
  how: 'Observation:',
  findings: 'Findings:',
  output: 'Output:',
} as const;

export const REDACT = 'hash names, paths, host name and command line, and shift addresses, so that it can be shared';

const DEFAULT_RING_BYTES: number = 16 * 2 ** 20;

/** Adds what every command that observes live understands. */
export function addLiveOptions(command: Command): Command {
  command
    .on('option:verbose', beVerbose)
    .addOption(
      new Option('-p, --pid <pid>', 'only these processes (12,34; repeatable)')
        .helpGroup(GROUPS.which)
        .argParser(parseIds)
        .default([], 'all'),
    )
    .addOption(
      new Option('--tid <tid>', 'only these threads (12,34; repeatable)')
        .helpGroup(GROUPS.which)
        .argParser(parseIds)
        .default([], 'all'),
    )
    .addOption(new Option('--comm <name>', 'only tasks of this name').helpGroup(GROUPS.which).argParser(parseComm));
  return addCgroupOptions(command, GROUPS.which)
    .addOption(
      new Option(
        '--scope <scope>',
        'which faults are followed step by step: swap faults; retries, aborts and waits; or all',
      )
        .helpGroup(GROUPS.which)
        .choices(['swap', 'retry', 'all'])
        .default('retry'),
    )
    .addOption(
      new Option('--min-us <us>', 'also follow any fault that takes this long')
        .helpGroup(GROUPS.which)
        .argParser(parseMicroseconds)
        .default(0, 'off'),
    )
    .addOption(
      new Option('-d, --duration <seconds>', 'stop after this time').helpGroup(GROUPS.extent).argParser(parseSeconds),
    )
    .addOption(
      new Option('--ring-size <bytes>', 'size of the ring buffer')
        .helpGroup(GROUPS.how)
        .argParser(parseRingSize)
        .default(DEFAULT_RING_BYTES, '16M'),
    )
    .addOption(
      new Option('--release <how>', 'how releases of VMA locks are determined')
        .helpGroup(GROUPS.how)
        .choices(['auto', 'derived', 'observed'])
        .default('auto'),
    )
    .addOption(
      new Option(
        '--no-writers',
        "do not hook mmap_lock's tracepoints: no writers are shown, and verdicts name none",
      ).helpGroup(GROUPS.how),
    )
    .addOption(
      new Option('--writer-min-us <us>', 'show writers that waited at least this long')
        .helpGroup(GROUPS.how)
        .argParser(parseMicroseconds)
        .default(100),
    )
    .addOption(
      new Option(
        '--hold-min-us <us>',
        'show holds of mmap_lock of this length even if nobody queued behind them; 0: none',
      )
        .helpGroup(GROUPS.how)
        .argParser(parseMicroseconds)
        .default(10_000),
    )
    .addOption(
      new Option('--stacks <kinds>', 'take stacks of retries and writers: kernel, user or kernel,user')
        .helpGroup(GROUPS.how)
        .argParser(parseStacks),
    )
    .addOption(
      new Option('--host-root <dir>', "where the host's root file system is mounted, when running in a container")
        .helpGroup(GROUPS.how)
        .default('/'),
    )
    .addOption(
      new Option('--no-lock', 'do not lock the program in memory, and leave its OOM score as it is').helpGroup(
        GROUPS.how,
      ),
    )
    .addOption(
      new Option('--without <hook>', 'do not attach this hook (doctor lists them; repeatable)')
        .helpGroup(GROUPS.how)
        .argParser(parseHooks)
        .default([], 'none'),
    )
    .addOption(new Option('-v, --verbose', "when the kernel refuses a program, print the verifier's whole log"));
}

export function intervalOption(description: string): Option {
  return new Option('--interval <seconds>', description).argParser(parseSeconds);
}

export interface TimeRangeCliOptions {
  readonly from?: When;
  readonly to?: When;
}

/** Adds what chooses a part of a recording. */
export function addTimeRangeOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--from <time>', 'begin here: 12.5, 3m, 23:59:07 …').helpGroup(GROUPS.extent).argParser(parseTime),
    )
    .addOption(new Option('--to <time>', 'end here').helpGroup(GROUPS.extent).argParser(parseTime));
}

/** `--fail-on` and where its rules come from. */
export function addFailOn(command: Command): Command {
  const collect = (word: string, earlier: readonly string[] = []): readonly string[] => [...earlier, word];
  return command
    .addOption(
      new Option('--fail-on <rule>', 'exit 1 when this alert rule fires: a name, any, or an expression')
        .helpGroup(GROUPS.findings)
        .argParser(collect),
    )
    .addOption(
      new Option('--rules <file>', 'alert rules to choose from (default: the built-in ones)').helpGroup(
        GROUPS.findings,
      ),
    );
}
