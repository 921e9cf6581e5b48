// SPDX-License-Identifier: MIT
/** Rules 14 to 16, 24 and 28: what do_swap_page returns, and the device it reads from. */

import { VlArgs, VlInner, VlKind, VlSharedArgs, VlWait } from '../../schema/events.gen.js';
import { MMAP_LOCK_HOOK, MMAP_QUEUE_HOOKS } from '../aggregate/mmap-lock.js';
import { SWP_SYNCHRONOUS_IO } from '../events/fault-bits.js';
import { pteKind, swapTypeOf } from '../vocabulary/arch.js';
import type { Call } from './calls.js';
import { type Facts, version } from './facts.js';
import { between, callsOf, firstBetween, isOver, type Judged, type Rule, type Say } from './rule.js';

const SWAP = 'do_swap_page';
const FLOR = '__folio_lock_or_retry';
const DEVICE = 'get_swap_device';
/** VL_SWAP_DEVICE when get_swap_device returned NULL. */
const NO_DEVICE = 0xffffffff;
const RECLAIMS: ReadonlySet<number> = new Set([VlWait.RECLAIM, VlWait.MEMCG]);

/** Something inside do_swap_page that may say RETRY was seen. */
function retriesInside(x: Judged, call: Call): boolean {
  const { retry } = x.facts.bits;
  return x.steps.some((step, i) => {
    if (i <= call.enter || i >= call.exit) return false;
    if (step.kind === VlKind.ANON_PREPARE || step.kind === VlKind.INNER_RETRY) return true;
    const returns = [VlKind.FLOR_EXIT, VlKind.UFFD_EXIT, VlKind.FILE_EXIT].some((kind) => kind === step.kind);
    return returns && (step[VlSharedArgs.ret] & retry) !== 0;
  });
}

function swapRetry(x: Judged, say: Say): void {
  for (const [, call] of callsOf(x, 'swap')) {
    if (!((x.steps[call.exit]?.[VlArgs.SWAP_EXIT.ret] ?? 0) & x.facts.bits.retry)) continue;
    const device = x.steps.find((s, i) => i > call.enter && i < call.exit && s.kind === VlKind.SWAP_DEVICE);
    if (retriesInside(x, call)) say.held('inside');
    // Before get_swap_device: device-private, or a PTE marker's way through do_pte_missing.
    else if (device === undefined) {
      const pte = call.enter === 0 ? x.trace.pte : 0n;
      const kind = pteKind(pte, x.facts.arch);
      if (kind === 'unknown') say.unseen(`RETRY before get_swap_device, of an entry that was not read`);
      else if (kind === 'swap') {
        const type = swapTypeOf(pte, x.facts.arch);
        say.violated(`do_swap_page returned RETRY of a swap entry (type ${type}) without get_swap_device`, call.exit);
      } else say.held('entry');
    } else if (device[VlArgs.SWAP_DEVICE.type] === NO_DEVICE)
      continue; // rule 28
    else if (!anonSeen(x.facts) || !x.facts.attached('handle_userfault')) say.aside();
    else say.violated('do_swap_page returned RETRY, and nothing inside it did', call.exit);
  }
}

/** do_wp_page at the end of do_swap_page may return RETRY because there is no anon_vma. */
const anonSeen = (facts: Facts): boolean =>
  facts.attached('__vmf_anon_prepare') ||
  (MMAP_QUEUE_HOOKS.some((hook) => facts.attached(hook)) && facts.attached(MMAP_LOCK_HOOK));

/** Device-private in every release that has it, whether it stands third or second last before the markers. */
const DEVICE_TYPES = { first: 27, last: 30, surely: 28 } as const;

function devicePrivate(x: Judged, say: Say): void {
  const { bits, arch } = x.facts;
  for (const [attempt, call] of callsOf(x, 'swap')) {
    const first = attempt === x.shape.attempts[0] && call === attempt.calls[0] && call.enter === 0;
    const type = swapTypeOf(x.trace.pte, arch);
    if (attempt.vma !== true || !first || type < DEVICE_TYPES.first || type > DEVICE_TYPES.last) continue;
    const ret = x.steps[call.exit]?.[VlSharedArgs.ret] ?? 0;
    const seen = between(x.steps, call.enter, call.exit, VlKind.SWAP_DEVICE) || retriesInside(x, call);
    const flor = between(x.steps, call.enter, call.exit, VlKind.FLOR_ENTER);
    if (type === DEVICE_TYPES.surely && seen) {
      say.violated('it went on to get_swap_device', call.exit);
      continue;
    }
    if (seen || flor || !(ret & bits.retry)) continue;
    if (ret !== bits.retry) say.violated('RETRY before get_swap_device came with other bits', call.exit);
    else if (between(x.steps, call.enter, call.exit, VlKind.WAIT_ENTER))
      say.violated('it waited for something before get_swap_device', call.enter + 1);
    else say.held('result', 'wait');
  }
  for (const [i, step] of x.steps.entries()) {
    if (step.kind !== VlKind.INNER_RETRY || step[VlArgs.INNER_RETRY.inner] !== VlInner.DEVICE_PRIVATE) continue;
    if (step[VlArgs.INNER_RETRY.ret] === bits.retry) say.held('pmd');
    else say.violated('do_huge_pmd_device_private returned more than RETRY', i);
  }
}

function refusesSwap(x: Judged, say: Say): void {
  for (const [attempt, call] of callsOf(x, 'swap')) {
    if (attempt.vma !== true) continue;
    const device = between(x.steps, call.enter, call.exit, VlKind.SWAP_DEVICE);
    if (device || between(x.steps, call.enter, call.exit, VlKind.FLOR_ENTER))
      say.violated('do_swap_page went on under the VMA lock', call.exit);
    else if ((x.steps[call.exit]?.[VlSharedArgs.ret] ?? 0) & x.facts.bits.retry) say.held();
  }
}

/** A claim of a commit message: a swap-in from a synchronous device does not sleep. It may, before the read. */
function synchronousSleeps(x: Judged, say: Say): void {
  for (const [attempt, call] of callsOf(x, 'swap')) {
    const inside = x.steps.slice(call.enter + 1, call.exit);
    const device = inside.find((step) => step.kind === VlKind.SWAP_DEVICE);
    if (attempt.vma !== true || device === undefined || device[VlArgs.SWAP_DEVICE.type] === NO_DEVICE) continue;
    if (!(device[VlArgs.SWAP_DEVICE.siFlags] & SWP_SYNCHRONOUS_IO)) continue;
    say.found('synchronous swap-ins under the VMA lock');
    const reclaims = inside.some((s) => s.kind === VlKind.WAIT_ENTER && RECLAIMS.has(s[VlArgs.WAIT_ENTER.wait]));
    if (reclaims) say.found('synchronous swap-ins under the VMA lock that reclaimed memory first');
    if (inside.some((step) => step.kind === VlKind.FLOR_SLEEP))
      say.found('synchronous swap-ins under the VMA lock that came to wait for the folio');
  }
}

function swapDevice(x: Judged, say: Say): void {
  for (const [attempt, call] of callsOf(x, 'swap')) {
    const at = firstBetween(x.steps, call.enter, call.exit, VlKind.SWAP_DEVICE);
    const device = x.steps[at];
    if (device === undefined || !isOver(attempt)) continue;
    if (device[VlArgs.SWAP_DEVICE.type] === NO_DEVICE) {
      if ((x.steps[call.exit]?.[VlSharedArgs.ret] ?? 0) === 0 && attempt.ret === 0) say.held('none');
      else say.violated('get_swap_device returned NULL and the fault did not return 0', attempt.exit);
    } else if (call.enter === 0) {
      const type = swapTypeOf(x.trace.pte, x.facts.arch);
      if (type < 0) continue;
      if (type === device[VlArgs.SWAP_DEVICE.type]) say.held('type');
      else say.violated(`the entry has type ${type}, its device ${device[VlArgs.SWAP_DEVICE.type]}`, at);
    }
  }
}

export const SWAP_RULES: readonly Rule[] = [
  {
    number: 14,
    statement: 'When do_swap_page returns RETRY, something inside it did, or the entry was no swap entry.',
    from: version(6, 6),
    hooks: [SWAP, FLOR, DEVICE],
    sees: {
      inside: { shows: 'that nothing called inside returned RETRY', hooks: [SWAP, FLOR, DEVICE] },
      entry: {
        shows: 'the entry in the PTE, when no device was asked for',
        hooks: [SWAP, DEVICE],
        options: ['x86-64 or arm64'],
      },
    },
    premise: 'RETRY of do_swap_page',
    kinds: [VlKind.SWAP_EXIT],
    judge: swapRetry,
  },
  {
    number: 15,
    statement:
      'A device-private entry under the VMA lock returns RETRY alone, before get_swap_device and every wait of a swap-in.',
    from: version(6, 6),
    hooks: [SWAP, FLOR, DEVICE],
    sees: {
      result: {
        shows: 'what do_swap_page returned, and get_swap_device in it',
        hooks: [SWAP, FLOR, DEVICE],
        options: ['x86-64 or arm64'],
      },
      wait: {
        shows: 'a read or reclaim in it',
        hooks: [
          'swapin_readahead',
          ['swapin_sync', 'swap_read_folio_bdev_sync'],
          'mm_vmscan_direct_reclaim_begin',
          'mm_vmscan_memcg_reclaim_begin',
        ],
        silent: 'fault',
      },
      pmd: { shows: 'what do_huge_pmd_device_private returned', hooks: ['do_huge_pmd_device_private'] },
    },
    premise: 'fault on a device-private entry under the VMA lock',
    kinds: [VlKind.SWAP_EXIT, VlKind.INNER_RETRY],
    judge: devicePrivate,
  },
  {
    number: 16,
    statement: '6.4 and 6.5: do_swap_page under the VMA lock returns RETRY before get_swap_device and the folio.',
    from: version(6, 4),
    to: version(6, 5),
    hooks: [SWAP, DEVICE],
    sees: {
      went: { shows: 'get_swap_device or __folio_lock_or_retry in it', hooks: [SWAP, DEVICE, FLOR], silent: 'fault' },
    },
    premise: 'do_swap_page under the VMA lock',
    kinds: [VlKind.SWAP_EXIT],
    judge: refusesSwap,
  },
  {
    number: 24,
    statement: 'Claim, not a rule: a swap-in from a synchronous device does not sleep under the VMA lock.',
    from: version(6, 6),
    hooks: [SWAP, DEVICE],
    sees: { waits: { shows: 'reclaim, and waits for the folio', hooks: [SWAP, DEVICE] } },
    premise: 'synchronous swap-in under the VMA lock',
    kinds: [VlKind.SWAP_DEVICE],
    claim: true,
    judge: synchronousSleeps,
  },
  {
    number: 28,
    statement:
      "What get_swap_device returns is the device of the entry's type; when it returns NULL, the fault returns 0.",
    from: version(6, 6),
    hooks: [SWAP, DEVICE],
    sees: {
      type: { shows: "another device than the entry's type", hooks: [SWAP, DEVICE], options: ['x86-64 or arm64'] },
      none: { shows: 'what the fault returned', hooks: [SWAP, DEVICE, 'handle_mm_fault'] },
    },
    premise: 'get_swap_device for an entry whose PTE was read',
    kinds: [VlKind.SWAP_DEVICE],
    judge: swapDevice,
  },
];
