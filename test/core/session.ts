// SPDX-License-Identifier: MIT
/** Sessions for tests: the head of a real recording, with the changes a test asks for. */
import { fileURLToPath } from 'node:url';
import type { HookInfo, SessionInfo } from '../../src/core/events/session.js';

import { openFile } from '../../src/recording/read/file.js';

async function headOf(name: string): Promise<SessionInfo> {
  const file = await openFile(fileURLToPath(new URL(`../../../test/golden/${name}.vmlt`, import.meta.url)));
  await file.close();
  return file.session;
}

/** Heads as live sessions wrote them. */
export const REAL: readonly SessionInfo[] = [await headOf('swap-7.3'), await headOf('mixed-7.3')];

/** `enum fault_flag` and `enum vm_fault_reason` of Linux 6.12. */
export const FLAG = {
  FAULT_FLAG_WRITE: 0x1,
  FAULT_FLAG_MKWRITE: 0x2,
  FAULT_FLAG_ALLOW_RETRY: 0x4,
  FAULT_FLAG_RETRY_NOWAIT: 0x8,
  FAULT_FLAG_KILLABLE: 0x10,
  FAULT_FLAG_TRIED: 0x20,
  FAULT_FLAG_USER: 0x40,
  FAULT_FLAG_REMOTE: 0x80,
  FAULT_FLAG_INSTRUCTION: 0x100,
  FAULT_FLAG_INTERRUPTIBLE: 0x200,
  FAULT_FLAG_UNSHARE: 0x400,
  FAULT_FLAG_ORIG_PTE_VALID: 0x800,
  FAULT_FLAG_VMA_LOCK: 0x1000,
} as const;

export const RET = {
  VM_FAULT_OOM: 0x1,
  VM_FAULT_SIGBUS: 0x2,
  VM_FAULT_MAJOR: 0x4,
  VM_FAULT_HWPOISON: 0x10,
  VM_FAULT_HWPOISON_LARGE: 0x20,
  VM_FAULT_SIGSEGV: 0x40,
  VM_FAULT_NOPAGE: 0x100,
  VM_FAULT_LOCKED: 0x200,
  VM_FAULT_RETRY: 0x400,
  VM_FAULT_FALLBACK: 0x800,
  VM_FAULT_DONE_COW: 0x1000,
  VM_FAULT_NEEDDSYNC: 0x2000,
  VM_FAULT_COMPLETED: 0x4000,
  VM_FAULT_HINDEX_MASK: 0xf0000,
} as const;

/** hmf's flags of a user-mode read under the VMA lock, under mmap_lock, and under mmap_lock after one try. */
export const VMA_FLAGS: number =
  FLAG.FAULT_FLAG_VMA_LOCK |
  FLAG.FAULT_FLAG_USER |
  FLAG.FAULT_FLAG_ALLOW_RETRY |
  FLAG.FAULT_FLAG_KILLABLE |
  FLAG.FAULT_FLAG_INTERRUPTIBLE;
export const MMAP_FLAGS: number = VMA_FLAGS & ~FLAG.FAULT_FLAG_VMA_LOCK;
export const TRIED_FLAGS: number = MMAP_FLAGS | FLAG.FAULT_FLAG_TRIED;
export const KERNEL_FLAGS: number = MMAP_FLAGS & ~FLAG.FAULT_FLAG_USER;
/** si->flags: SWP_USED | SWP_WRITEOK, and SWP_SYNCHRONOUS_IO (include/linux/swap.h). */
export const SWAP_DISK = 0x3;
export const SWAP_ZRAM = 0x1003;

/** What is hooked; `released`: the end of each mmap_lock hold as well. */
export function syntheticHooks(released: boolean): HookInfo[] {
  return [
    { target: 'handle_mm_fault', attached: true, note: '' },
    { target: 'get_swap_device', attached: true, note: '' },
    { target: 'mmap_lock_released', attached: released, note: released ? '' : 'not asked for' },
    { target: 'vma_end_read', attached: false, note: 'static inline notrace: no site to attach to' },
  ];
}

export function syntheticSession(changes: Partial<SessionInfo> = {}): SessionInfo {
  return {
    ...(REAL[0] as SessionInfo),
    tool: 'vmalocktop synthetic',
    host: 'synthetic',
    kernel: '6.12.0-synthetic',
    bootId: '00000000-0000-0000-0000-000000000000',
    commandLine: ['vmalocktop', 'record'],
    cpus: 4,
    baseNs: '1000000000',
    clocks: [{ time: 0, realtimeNs: '1700000000000000000' }],
    scope: 'all',
    release: 'derived',
    minUs: 0,
    filters: {},
    programs: [
      { name: 'fexit_handle_mm_fault', target: 'handle_mm_fault', method: 'fexit' },
      { name: 'kpm_do_swap_page', target: 'do_swap_page', method: 'kprobe.multi' },
    ],
    hooks: syntheticHooks(false),
    ringBytes: 1 << 24,
    preemption: 'voluntary',
    layout: 'synthetic',
    ...changes,
  };
}
