// SPDX-License-Identifier: MIT
/** The swap devices faults came to: their type and flags from the kernel side, their name from /proc/swaps. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { EventBatch } from '../../core/events/batch.js';
import { pushUserRow } from '../../core/events/user-rows.js';
import { printable } from '../../symbols/text.js';
import { TextPool } from './strings.js';

/** MAX_SWAPFILES (include/linux/swap.h) is at most this. */
const SWAP_TYPES = 32;
/** Devices may come and go under other names for as long as a daemon runs. */
const MAX_NAMES = 256;
/** `struct swap_device` of bpf/maps.bpf.h. */
const NAME_BYTES = 32;
const FLAGS = 32;
const SYNCHRONOUS = 36;
const SEEN = 40;
const SIZE = 48;
/** include/linux/swap.h, since 4.15. */
const SWP_SYNCHRONOUS_IO = 1 << 12;

export interface SwapDevice {
  readonly type: number;
  /** gendisk->disk_name: the whole disk, whatever partition or file on it is swapped to. */
  readonly disk: string;
  readonly flags: number;
  readonly synchronous: boolean;
}

export interface SwapArea {
  /** As it was named to swapon, resolved: `/dev/zram0`, `/swapfile`. */
  readonly path: string;
  readonly file: boolean;
}

/** Lines of /proc/swaps below its heading, in the order of swap_info[] (swap_start, swap_next), gaps closed. */
export function parseSwaps(text: string): SwapArea[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const match = /^(\S+)\s+(\S+)\s/.exec(line);
      // seq_path() writes blanks and the like in octal.
      const path = match?.[1]?.replace(/\\([0-7]{3})/g, (_, digits: string) =>
        String.fromCharCode(Number.parseInt(digits, 8)),
      );
      return path === undefined ? [] : [{ path, file: match?.[2] === 'file' }];
    });
}

/**
 * Which area is which device. An area is known by its disk where only one lies on that disk; areas that share a disk are
 * distinguished by their order, which is that of the types, when all of them were seen. Else the disk's name must do.
 * `diskOf`: name of the disk under a swap area, null where that is not known.
 */
function nameDevices(
  devices: readonly SwapDevice[],
  areas: readonly SwapArea[],
  diskOf: (area: SwapArea) => string | null,
): Map<number, string> {
  const names = new Map<number, string>();
  for (const disk of new Set(devices.map((device) => device.disk))) {
    const on = areas.filter((area) => diskOf(area) === disk);
    const seen = devices.filter((device) => device.disk === disk).sort((a, b) => a.type - b.type);
    for (const [i, { type }] of seen.entries()) {
      const area = on.length === seen.length ? on[i] : undefined;
      names.set(type, area === undefined ? disk : area.path.startsWith('/dev/') ? area.path.slice(5) : area.path);
    }
  }
  return names;
}

export interface SwapFiles {
  readonly swaps: string;
  /** Disk under a block device (`/dev/vda2` → `vda`) or a file; null where that is not known. */
  diskOf(area: SwapArea): string | null;
}

export class SwapDeviceReader {
  readonly #values: DataView;
  readonly #words: Uint32Array;
  /** As they were when they were last looked at. */
  readonly #before: Uint32Array;
  readonly #texts: TextPool;
  readonly #files: SwapFiles;
  /** What was last sent, by type. */
  readonly #sent: Map<number, string> = new Map();

  /** `values`: of the `swap_devices` map, which the kernel side writes to. `strings`: those of the source's batches. */
  constructor(values: ArrayBuffer, strings: string[], files: SwapFiles = HOST_FILES) {
    this.#values = new DataView(values, 0, SWAP_TYPES * SIZE);
    this.#words = new Uint32Array(values, 0, (SWAP_TYPES * SIZE) / 4);
    this.#before = new Uint32Array(this.#words.length);
    this.#texts = new TextPool(strings, MAX_NAMES);
    this.#files = files;
  }

  /** The list of the source's next batches. */
  renewStrings(strings: string[]): void {
    this.#texts.renew(strings);
  }

  /** Appends a `UserKind.SwapDevice` row for each device that is new or changed. */
  emit(batch: EventBatch, time: number): number {
    // /proc/swaps takes swapon_mutex: it is read when a device has come or changed, not at every sample.
    if (!this.#changed()) return 0;
    const devices = this.#read();
    const names = nameDevices(devices, this.#areas(), (area) => this.#files.diskOf(area));
    const before = batch.length;
    for (const { type, flags, synchronous } of devices) {
      const name = printable(names.get(type) ?? '');
      const row = JSON.stringify([name, flags, synchronous]);
      if (this.#sent.get(type) === row) continue;
      this.#sent.set(type, row);
      pushUserRow(batch, 'SwapDevice', time, { type, flags, isSynchronous: synchronous ? 1 : 0 });
      batch.comm[batch.length - 1] = this.#texts.id(name);
    }
    return batch.length - before;
  }

  #areas(): SwapArea[] {
    try {
      return parseSwaps(readFileSync(this.#files.swaps, 'utf8'));
    } catch {
      return [];
    }
  }

  /** Whether a word is another one than at the last look: nearly always none is. */
  #changed(): boolean {
    const [words, before] = [this.#words, this.#before];
    let changed = false;
    for (let i = 0; i < words.length; i++)
      if (words[i] !== before[i]) {
        before[i] = words[i] as number;
        changed = true;
      }
    return changed;
  }

  #read(): SwapDevice[] {
    const devices: SwapDevice[] = [];
    const view = this.#values;
    for (let type = 0, at = 0; type < SWAP_TYPES; type++, at += SIZE) {
      if (view.getBigUint64(at + SEEN, true) === 0n) continue;
      const text = Buffer.from(view.buffer, at, NAME_BYTES).toString('latin1');
      const flags = view.getUint32(at + FLAGS, true);
      const said = view.getUint32(at + SYNCHRONOUS, true);
      devices.push({
        type,
        disk: text.split('\0', 1)[0] ?? '',
        flags,
        // 1: its queue says so, 2: it says not, 0: it was not asked; then what swapon made of it stands.
        synchronous: said === 0 ? (flags & SWP_SYNCHRONOUS_IO) !== 0 : said === 1,
      });
    }
    return devices;
  }
}

const HOST_FILES: SwapFiles = { swaps: '/proc/swaps', diskOf };

function diskOf({ path, file }: SwapArea): string | null {
  try {
    // The device itself, or the one the file lies on. A file system with device numbers of its own (btrfs) cannot say.
    const seen = statSync(path);
    const device = file ? seen.dev : seen.rdev;
    // glibc's gnu_dev_major() and gnu_dev_minor(), as far as numbers of block devices go.
    const numbers = `${(device >>> 8) & 0xfff}:${(device & 0xff) | ((device >>> 12) & 0xf_ff00)}`;
    const node = realpathSync(`/sys/dev/block/${numbers}`);
    const disk = basename(existsSync(join(node, 'partition')) ? dirname(node) : node);
    return disk.replaceAll('!', '/'); // sysfs cannot have the slash of `cciss/c0d0`
  } catch {
    return null;
  }
}
