// SPDX-License-Identifier: MIT
/** `--cgroup`, `--container`, `--pod`, `--unit`: in the kernel of a live session, and over rows elsewhere. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { rowFilter } from '../../src/core/view/filter.js';
import { CGROUP_FILTERS, type CgroupFilter, type CgroupFilterKind } from '../../src/core/vocabulary/cgroup-filter.js';
import { ExitCode, UserError } from '../../src/errors.js';

export type CgroupCliOptions = Readonly<Record<CgroupFilterKind, readonly string[]>>;

/** Anything but nothing; what it means is looked up on the host. */
function parseCgroup(text: string, earlier: readonly string[] = []): readonly string[] {
  if (text.trim() === '') throw new InvalidArgumentError('It must not be empty.');
  return [...earlier, text];
}

/** All that is chosen by cgroup, in the order of the kinds. */
export function cgroupFilters(options: CgroupCliOptions): readonly CgroupFilter[] {
  return CGROUP_FILTERS.flatMap((kind) => options[kind].map((text) => ({ kind, text })));
}

/** None of them. */
export const NO_CGROUPS: CgroupCliOptions = { cgroup: [], container: [], pod: [], unit: [] };

/** The same as a filter of rows: what has been recorded, or is observed by another, is left as it is. Throws `UserError` for more than one. */
export function rowFilterOf(options: CgroupCliOptions): string {
  const filters = cgroupFilters(options);
  const [first] = filters;
  if (filters.length > 1)
    throw new UserError(
      'cannot read the command line',
      'rows are filtered by one cgroup, container, pod or unit at a time',
      'name one, and change it with / in the dashboard',
      ExitCode.Usage,
    );
  return first === undefined ? '' : rowFilter(first);
}

/** Adds `--cgroup` and its like, each repeatable. `group`: the heading they stand under. */
export function addCgroupOptions(command: Command, group: string): Command {
  for (const [flags, description] of OPTIONS)
    command.addOption(
      new Option(flags, `${description} (repeatable)`).helpGroup(group).argParser(parseCgroup).default([], 'all'),
    );
  return command;
}

const OPTIONS: readonly (readonly [flags: string, description: string])[] = [
  ['--cgroup <path|id>', 'only this cgroup and those below it'],
  ['--container <name|id>', 'only this container; the first digits of an id will do'],
  ['--pod <namespace/name>', 'only this Kubernetes pod; also by its uid'],
  ['--unit <name>', 'only this systemd unit'],
];
