// SPDX-License-Identifier: MIT
/**
 * What the columns of the dashboard's lists mean, by the id of the field: the first word that fits, of the list, then of
 * all lists. docs/glossary.md shows the same words.
 */

/** Columns that mean the same wherever they stand. */
export const COMMON_COLUMNS: Readonly<Record<string, string>> = {
  pid: 'the process: its thread group id in the host’s PID namespace',
  tid: 'the thread',
  comm: 'its name (`comm`); of a process, the name of its leader',
  cgroup: 'id of its cgroup: the inode number of the directory',
  cgroupName: 'the container, pod or systemd unit the cgroup is, and its path',
  retries: 'attempts under the VMA lock that returned RETRY',
  aborts: 'faults that got no VMA lock',
  lifecycles: 'faults that were followed step by step: those in scope',
  folioWait: 'time its faults waited for the lock of a folio',
  mmapWait: 'time its faults waited for `mmap_lock`, mostly at the fallback',
  userfaultWait: 'time it waited for userfaultfd: for the task that serves the range',
  cause: 'why the attempt failed: decided by the innermost function that said so',
  count: 'how often',
  rate: 'per second: since the figures before; over the session where there are none',
  share: 'of all of this list',
  address: 'the page that was faulted on',
  mm: 'the process whose memory it is; `self`: its own',
  mode: '`read` or `write`: how `mmap_lock` was taken; `VMA`: locks of single VMAs, for read',
  what: 'what took the lock: a system call, a file of /proc, `page fault`, `exit_mmap`, a kernel thread',
  target: 'the kernel function or tracepoint it is attached to',
  worst: 'the longest one',
};

type Columns = Readonly<Record<string, string>>;

/** By list, where a column means something of its own. */
export const LIST_COLUMNS: Readonly<Record<string, Columns>> = {
  processes: {
    rate: 'RETRYs per second: since the figures before; over the session where there are none',
    inFlight: 'its faults that have not ended',
    swap: 'its swap faults, followed or only counted',
    total: 'sum from first step to end of its faults that were followed',
  },
  vmas: {
    range: 'the addresses it maps',
    size: 'how much it maps',
    flags: '`rwx`, `s` shared or `p` private, then two letters as in the VmFlags line of /proc/PID/smaps',
    mapping: 'what it maps, as /proc/PID/maps says it: a file, `[heap]`, `[stack]`, `[anon:NAME]`; `–`: not known',
    backing: 'what is behind it, as far as its faults showed; `?`: none of them did',
    name: 'the kernel function that serves its faults (`vm_ops->fault`), where one of them was seen in it; `userfaultfd` where one waited for who reads that',
    otherWait: 'time its faults waited for anything else: files, userfaultfd, reclaim',
    worst: 'its longest fault',
  },
  causes: {
    result: 'RETRY: the VMA lock was given back; ABORT: it could not be taken',
    lost: 'time of its faults after they had lost the VMA lock, to their end',
    mean: 'that time for one fault',
    avoidable: 'of the retries that could be judged: a retry under the VMA lock would have done',
    worst: 'the most of one fault',
    example: 'the thread of that fault',
    saved: 'time the avoidable ones queued for `mmap_lock`',
  },
  waits: {
    wait: 'what is waited for',
    p50: 'half of them are no longer, within a bucket of the histogram',
    p99: '99 of 100 are no longer, within a bucket of the histogram',
    max: 'the longest, exactly',
    sum: 'all of them together',
    mean: 'sum by count',
  },
  blockers: {
    waits: 'waits that were spent behind its holds',
    blocked: 'time others spent behind its holds',
    blockedMax: 'the most of one wait behind them',
    holds: 'holds that others queued behind, or that lasted `--hold-min-us`',
    hold: 'time of those holds whose beginning was seen',
    holdMax: 'the longest of them',
    convoys: 'holds for read behind which a writer queued, and readers behind that one',
    convoyWaits: 'waits of those readers',
    convoyVia: 'the writer most of them stood behind',
    queued: 'how often it had to queue for the lock itself',
    queuedFor: 'how long it queued itself',
    forks: 'holds that copied the mm',
    forkThreads: 'the most threads of the process at one of them',
    forkVmas: 'the most VMAs of the mm at one of them',
    forkLocked: 'VMAs the forks write-locked',
    forkWaits: 'of how many of those a fault held the lock and had to be waited for',
    forkWait: 'that time',
    forkWaitMax: 'the most of one VMA',
  },
  lockNow: {
    state: 'it holds `mmap_lock`, or waits for it',
    for: 'how long by now',
    since: 'when that began, in the session',
  },
  writers: {
    name: 'the system call it was in',
    acquired: 'how often it had `mmap_lock` for write after a wait, or met a retry',
    wait: 'time it waited for the lock',
    waitP99: '99 of 100 of these waits are no longer',
    waitMax: 'the longest of these waits',
    hold: 'time it held the lock',
    behindReader: 'waits behind one who held it for read',
    behindWriter: 'waits behind another writer',
    inverted: 'waits behind a holder of lower priority',
    vmas: 'VMAs it write-locked meanwhile',
    vmaWait: 'time it waited there for faults that held the lock of a VMA',
    retriesLocked: 'retries whose VMA it write-locked meanwhile',
    retriesDelayed: 'retries of its mm that it made wait for `mmap_lock`',
    worstHolder: 'the thread it waited for longest',
  },
  latest: {
    time: 'when its first step was seen, s of the session',
    attempts: 'attempts so far: one under the VMA lock, one after the fallback',
    total: 'from its first step to its end; `≥`: the beginning was not seen exactly',
    end: 'how it ended',
  },
  inFlight: {
    age: 'how long it has lasted, at least',
    held: 'the lock it holds now',
    state: 'what it does now, by its last step',
    cause: 'what it will be called as far as it shows by now; `…`: may still change',
    tries: 'attempts so far',
  },
  alerts: {
    state: 'whether it fires; `? unknown`: a figure it reads is not known here',
    rule: 'its name',
    group: 'the process, cgroup or cause it is about; `–`: the whole host',
    values: 'the figures it reads, as they are now',
    since: 'when it came into this state, s of the session',
    severity: 'warning or critical',
    expression: 'the condition, in CEL',
    summary: 'what it means when it fires',
  },
  hooks: {
    attached: 'whether it is attached',
    how: 'the kind of programs on it; `–`: none',
    note: 'why it is off, or what it lacks',
  },
  programs: {
    program: 'a BPF program of ours',
    method: 'how it is attached',
    runs: 'how often it ran while run times were taken',
    runTime: 'how long it ran altogether',
    perRun: 'the mean of one run',
    cpu: 'of one CPU, while run times were taken',
    missed: 'runs the kernel skipped (`recursion_misses`, and `missed` of its link)',
  },
};

/** Lists with the columns of another one. */
const SAME: Readonly<Record<string, string>> = { slowest: 'latest' };

/** What a column of a list means; undefined for one that has no word: a test sees to it that there is none. */
export function columnWord(list: string, field: string): string | undefined {
  return LIST_COLUMNS[SAME[list] ?? list]?.[field] ?? COMMON_COLUMNS[field];
}
