// SPDX-License-Identifier: MIT
/** A lifecycle step by step in words: the kernel function, and flags and results by name. */
import {
  VlArgs,
  VlFile,
  VlFound,
  VlHolder,
  VlInner,
  VlKind,
  VlKindNames,
  VlSharedArgs,
  VlStepFlag,
  VlWait,
} from '../../schema/events.gen.js';
import type { SessionInfo } from '../events/session.js';
import type { Step } from './step-store.js';
import type { Trace } from './trace.js';

export interface DescribedStep {
  /** ns since the session's base. */
  readonly timeNs: number;
  readonly hook: string;
  readonly words: string;
}

type Names = Readonly<Record<string, number>>;

/** `WRITE|USER|0x8000`: names of single bits, what has no name in hexadecimal, 0 for none. */
export function bitNames(value: number, names: Names, prefix = ''): string {
  const found: string[] = [];
  let rest = value >>> 0;
  for (const [name, bit] of Object.entries(names)) {
    if (bit === 0 || (bit & (bit - 1)) !== 0 || !(rest & bit)) continue;
    found.push(name.startsWith(prefix) ? name.slice(prefix.length) : name);
    rest = (rest & ~bit) >>> 0;
  }
  if (rest !== 0) found.push(`0x${rest.toString(16)}`);
  return found.length === 0 ? '0' : found.join('|');
}

const oneOf = (value: number, names: Names): string =>
  Object.entries(names).find(([, n]) => n === value)?.[0] ?? String(value);

type Words = (step: Step, session: SessionInfo) => string;
const flags: Words = (s, { enums }) => `flags ${bitNames(s[VlSharedArgs.flags], enums.faultFlags, 'FAULT_FLAG_')}`;
const returned: Words = (s, { enums }) => `returned ${bitNames(s[VlSharedArgs.ret], enums.faultReasons, 'VM_FAULT_')}`;
/** By `VlArgs.VMA_RELEASE.by`. */
const RELEASED_BY: readonly string[] = ['', 'by up_read', 'by vma_end_read'];

const KINDS: Readonly<Record<number, readonly [hook: string, words: Words]>> = {
  [VlKind.VMA_LOCK]: [
    'lock_vma_under_rcu',
    (s) => (s[VlArgs.VMA_LOCK.locked] === 0 ? 'returned NULL' : 'returned the VMA'),
  ],
  [VlKind.HMF_EXIT]: [
    'handle_mm_fault',
    (s, session) => {
      const regs = s.flags & VlStepFlag.REGS ? '' : ', no registers';
      const signal = s.flags & VlStepFlag.SIGPENDING ? ', a signal pending' : '';
      return `${returned(s, session)}, ${flags(s, session)}${regs}${signal}`;
    },
  ],
  [VlKind.SWAP_ENTER]: ['do_swap_page', (s, session) => `entered, ${flags(s, session)}`],
  [VlKind.SWAP_EXIT]: ['do_swap_page', returned],
  [VlKind.SWAP_DEVICE]: [
    'get_swap_device',
    (s) => {
      const type = s[VlArgs.SWAP_DEVICE.type];
      const flagBits = s[VlArgs.SWAP_DEVICE.siFlags].toString(16);
      return type === 0xffffffff ? 'returned NULL' : `returned device ${type}, flags 0x${flagBits}`;
    },
  ],
  [VlKind.FLOR_ENTER]: ['__folio_lock_or_retry', (s, session) => `entered, ${flags(s, session)}`],
  [VlKind.FLOR_SLEEP]: ['io_schedule', () => 'sleeps in __folio_lock_or_retry'],
  [VlKind.FLOR_EXIT]: ['__folio_lock_or_retry', returned],
  [VlKind.UFFD_ENTER]: [
    'handle_userfault',
    (s, session) => `entered, ${flags(s, session)}, reason 0x${s[VlArgs.UFFD_ENTER.reason].toString(16)}`,
  ],
  [VlKind.UFFD_EXIT]: ['handle_userfault', returned],
  [VlKind.ANON_PREPARE]: ['__vmf_anon_prepare', () => 'gave up: no anon_vma, and mmap_lock busy'],
  [VlKind.MM_LOCK_ENTER]: [
    'lock_mm_and_find_vma',
    (s) => {
      const mode = s[VlArgs.MM_LOCK_ENTER.userMode] === 1 ? 'user' : 'kernel';
      return `entered from ${mode} mode, mmap_lock held by: ${oneOf(s[VlArgs.MM_LOCK_ENTER.holderKind], VlHolder)}`;
    },
  ],
  [VlKind.MM_LOCK_EXIT]: [
    'lock_mm_and_find_vma',
    (s) => {
      const found = s[VlArgs.MM_LOCK_EXIT.found];
      return found === 0 ? 'returned NULL' : `returned a VMA: ${bitNames(found, VlFound)}`;
    },
  ],
  [VlKind.VMA_RELEASE]: ['VMA lock released', (s) => RELEASED_BY[s[VlArgs.VMA_RELEASE.by]] ?? ''],
  [VlKind.SIGNAL]: ['signal_deliver', (s) => `signal ${s[VlArgs.SIGNAL.number]}`],
  [VlKind.TASK_EXIT]: ['sched_process_exit', () => 'the task ended'],
  [VlKind.ABANDONED]: [
    'abandoned',
    (s) => {
      const kind = s[VlArgs.ABANDONED.kind];
      return `its task began another fault, by ${VlKindNames[kind] ?? `a step of kind ${kind}`}`;
    },
  ],
  [VlKind.FILE_ENTER]: [
    'filemap_fault',
    (s, session) => `${s[VlArgs.FILE_ENTER.file] & VlFile.SHMEM ? 'shmem_fault ' : ''}entered, ${flags(s, session)}`,
  ],
  [VlKind.FILE_SLEEP]: ['io_schedule', () => 'sleeps in the fault of a file'],
  [VlKind.FILE_EXIT]: [
    'filemap_fault',
    (s, session) => `${returned(s, session)}, ${bitNames(s[VlArgs.FILE_EXIT.file], VlFile)}`,
  ],
  [VlKind.WAIT_ENTER]: ['wait begins', (s) => oneOf(s[VlArgs.WAIT_ENTER.wait], VlWait)],
  [VlKind.WAIT_EXIT]: ['wait ends', (s) => oneOf(s[VlArgs.WAIT_EXIT.wait], VlWait)],
  [VlKind.INNER_RETRY]: [
    'inner function',
    (s, session) => `${oneOf(s[VlArgs.INNER_RETRY.inner], VlInner)} ${returned(s, session)}`,
  ],
  [VlKind.MM_CONTENDED]: [
    'mmap_lock contended',
    (s) => {
      const holder = s[VlArgs.MM_CONTENDED.holder];
      const kind = oneOf(s[VlArgs.MM_CONTENDED.holderKind], VlHolder);
      return `held by ${holder === 0 ? 'a task not known' : `task ${holder}`} (${kind})`;
    },
  ],
  [VlKind.MM_RELEASED]: ['mmap_lock released', () => 'by the fault'],
  [VlKind.MM_INSIDE]: [
    'mmap_lock inside the attempt',
    (s) => {
      const mode = s[VlArgs.MM_INSIDE.write] === 1 ? 'write' : 'read';
      return `asked for ${mode}, ${s[VlArgs.MM_INSIDE.success] === 1 ? 'acquired' : 'not acquired'}`;
    },
  ],
  [VlKind.VMA_OPS]: [
    'vm_ops->fault',
    (s) => {
      const address = (BigInt(s[VlArgs.VMA_OPS.high]) << 32n) | BigInt(s[VlArgs.VMA_OPS.low]);
      return `0x${address.toString(16)}`;
    },
  ],
  [VlKind.MM_WRITER]: ['writer meanwhile', (s) => `task ${s[VlArgs.MM_WRITER.writer]}`],
  [VlKind.STACK]: ['stack', () => ''],
};

function describeStep(step: Step, session: SessionInfo): DescribedStep {
  const known = KINDS[step.kind];
  return {
    timeNs: step.time,
    hook: known?.[0] ?? `step of kind ${step.kind}`,
    words: known?.[1](step, session) ?? `a 0x${step.a.toString(16)}, b 0x${step.b.toString(16)}`,
  };
}

export function describeTrace(trace: Trace, session: SessionInfo): readonly DescribedStep[] {
  return trace.steps.map((step) => describeStep(step, session));
}
