// SPDX-License-Identifier: MIT
/** The names of the rows of kind COUNTER: what is counted, by group. */
import { VMSTAT_LINES } from '../../core/aggregate/outcomes.js';
import type { ProgramInfo } from '../../core/events/session.js';
import { CounterGroup } from '../../core/events/user-rows.js';
import { VlCounterNames, VlHistNames, VlKindNames } from '../../schema/events.gen.js';

type Programs = readonly Pick<ProgramInfo, 'name'>[];
type Namer = (index: number, programs: Programs) => string | undefined;

const HIST_BUCKETS = 64;
const SELF = ['measured ns', 'cpu ns', 'rss bytes', 'ring bytes'];

const ofKind: Namer = (index) => VlKindNames[index];
const ofProgram: Namer = (index, programs) => programs[index]?.name;

const NAMERS: Readonly<Record<keyof typeof CounterGroup, Namer>> = {
  Kernel: (index) => VlCounterNames[index],
  Emitted: ofKind,
  Dropped: ofKind,
  Hist: (index) => {
    const name = VlHistNames[Math.floor(index / HIST_BUCKETS)];
    return name === undefined ? undefined : `${name}/${index % HIST_BUCKETS}`;
  },
  Missed: ofProgram,
  RunCount: ofProgram,
  RunTime: ofProgram,
  Self: (index) => SELF[index],
  Vmstat: (index) => {
    const line = VMSTAT_LINES[index >> 1];
    return line === undefined ? undefined : `${line}/${index % 2 === 0 ? 'least' : 'most'}`;
  },
};

const GROUPS: ReadonlyMap<number, readonly [name: string, Namer]> = new Map(
  Object.entries(CounterGroup).map(([name, group]) => [
    group,
    [name.toLowerCase(), NAMERS[name as keyof typeof CounterGroup]],
  ]),
);

/**
 * `kernel/VMA_RETRY`, `dropped/FLOR_ENTER`, `hist/FOLIO_WAIT/12`, `missed/fexit_handle_mm_fault`, `vmstat/vma_lock_retry/least`; numbers
 * for what this version does not know.
 */
export function counterName(group: number, index: number, programs: Programs): string {
  const [name, of] = GROUPS.get(group) ?? [`${group}`, () => undefined];
  return `${name}/${of(index, programs) ?? index}`;
}
