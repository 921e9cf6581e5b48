// SPDX-License-Identifier: MIT
/** Is progress made: pages that retry again, pages reclaimed and needed again, herds on one folio. */
import type { AttemptRecord, FaultRecord, WaitRecord } from './record.js';
import type { ProgressStats } from './snapshot.js';

/** Slots of the two tables, powers of two. A slot is overwritten by the next page or folio that falls on it. */
const PAGES = 1 << 16;
const FOLIOS = 1 << 13;
const REFAULT_NS = 1e9;
const PAGE_SIZE = 4096;
/** Herds of one folio that a wait which ends late may still join. */
const PAST_HERDS = 4;

function mix(x: number): number {
  const h = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return (h ^ (h >>> 15)) >>> 0;
}

/** When each page (mm, address) was mapped by a swap fault last. Three typed arrays: nothing is allocated per fault. */
class SwappedIn {
  readonly #mm: Float64Array = new Float64Array(PAGES);
  readonly #address: Float64Array = new Float64Array(PAGES);
  readonly #time: Float64Array = new Float64Array(PAGES);

  set(mm: number, address: number, time: number): void {
    const slot = slotOf(mm, address);
    this.#mm[slot] = mm;
    this.#address[slot] = address;
    this.#time[slot] = time;
  }

  /** NaN when not known. */
  get(mm: number, address: number): number {
    const slot = slotOf(mm, address);
    return this.#mm[slot] === mm && this.#address[slot] === address ? (this.#time[slot] as number) : Number.NaN;
  }
}

function slotOf(mm: number, address: number): number {
  // struct mm_struct is larger than 1 KiB: its low address bits say little.
  return mix(((address / PAGE_SIZE) | 0) ^ Math.imul((mm / 1024) | 0, 0x9e3779b1)) & (PAGES - 1);
}

interface Herd {
  start: number;
  end: number;
  size: number;
}

/** The latest herds of one folio, in order of time. */
interface FolioHerds {
  folio: number;
  herds: Herd[];
}

/**
 * Waits for one folio that overlap, one with the next, are one herd. They are told as they end, so a herd grows with
 * each, and a wait that ends late may make one herd of two.
 */
class Herds {
  readonly sizes: number[] = [];
  largest = 0;
  /** Folios pushed out of their slot while others still waited for them. */
  evicted = 0;
  readonly #slots: (FolioHerds | undefined)[] = [];

  /** `again`: this fault waited for this folio before, and is counted there. */
  waited(folio: number, start: number, end: number, again: boolean): void {
    const slot = mix(folio) & (FOLIOS - 1);
    let of = this.#slots[slot];
    if (of === undefined) {
      of = { folio, herds: [] };
      this.#slots[slot] = of;
    } else if (of.folio !== folio) {
      if ((of.herds.at(-1)?.end ?? 0) > start) this.evicted++;
      of.folio = folio;
      of.herds = [];
    }
    const herd: Herd = { start, end, size: 0 };
    const { herds } = of;
    for (let past = herds.at(-1); past !== undefined && past.end > start && past.start < end; past = herds.at(-1)) {
      herds.pop();
      this.#count(past.size, -1);
      herd.start = Math.min(herd.start, past.start);
      herd.end = Math.max(herd.end, past.end);
      herd.size += past.size;
    }
    if (!again || herd.size === 0) herd.size++;
    herds.push(herd);
    if (herds.length > PAST_HERDS) herds.shift();
    this.#count(herd.size, 1);
    if (herd.size > this.largest) this.largest = herd.size;
  }

  #count(size: number, by: number): void {
    const bucket = 31 - Math.clz32(size);
    while (this.sizes.length <= bucket) this.sizes.push(0);
    this.sizes[bucket] = (this.sizes[bucket] as number) + by;
  }
}

export class Progress {
  #pagesAgain = 0;
  #mostRetries = 0;
  #again = 0;
  #refaults = 0;
  #folioUnknown = 0;
  readonly #swappedIn: SwappedIn = new SwappedIn();
  readonly #herds: Herds = new Herds();

  get evicted(): number {
    return this.#herds.evicted;
  }

  /** A page retried, for the `times`-th time. */
  retried(times: number): void {
    if (times > 1) this.#again++;
    if (times === 2) this.#pagesAgain++;
    if (times > this.#mostRetries) this.#mostRetries = times;
  }

  enteredSwap(fault: FaultRecord): void {
    if (Number.isNaN(fault.address)) return;
    // A fault that began before that one ended is no refault, but another that wanted the same page.
    const since = fault.first - this.#swappedIn.get(fault.mm, fault.address);
    if (since >= 0 && since < REFAULT_NS) this.#refaults++;
  }

  closed(fault: FaultRecord): void {
    if (!fault.enteredSwap || Number.isNaN(fault.address)) return;
    if (fault.how === 'ok-vma' || fault.how === 'ok-mmap') this.#swappedIn.set(fault.mm, fault.address, fault.last);
  }

  /** A folio wait inside `attempt` is over. */
  waited(fault: FaultRecord, attempt: AttemptRecord | null, wait: WaitRecord): void {
    const folio = attempt?.folio ?? 0;
    if (folio === 0) {
      this.#folioUnknown++;
      return;
    }
    let again = false;
    for (const other of fault.attempts) if (other !== attempt && other.folio === folio) again = true;
    this.#herds.waited(folio, wait.start, wait.end, again);
  }

  stats(): ProgressStats {
    return {
      pagesAgain: this.#pagesAgain,
      mostRetries: this.#mostRetries,
      again: this.#again,
      refaults: this.#refaults,
      herds: [...this.#herds.sizes],
      largestHerd: this.#herds.largest,
      folioUnknown: this.#folioUnknown,
    };
  }
}
