// SPDX-License-Identifier: MIT
/**
 * A source without what is private to its host, for recordings, exports and reports that are mailed: names of tasks, of
 * cgroups, of user functions and of files, the host and command lines are hashed, addresses are moved. Equal things stay
 * equal, what lies in a VMA lies in it still, and all times, counts and causes are what they were.
 *
 * The key is random and of this one use: it is written nowhere, so that nobody can try names until one fits.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { type EventBatch, isWriterEvent } from '../../core/events/batch.js';
import type { SessionInfo } from '../../core/events/session.js';
import type { Source } from '../../core/events/source.js';
import { UserArgs, UserKind } from '../../core/events/user-rows.js';
import { VlArgs, VlKind, VlStepFlag } from '../../schema/events.gen.js';

/** Digits of a hash: 48 bits, where a host has thousands of names. */
const DIGITS = 12;
const PAGE = 4096;
/** Pages an address is moved by, at most: it stays exact as a double, and no VMA is divided. */
const PAGES = 2 ** 35;
const MOST_REMEMBERED = 65_536;

/** Names of block devices as the kernel gives them: they say nothing of a person or a site. */
const PLAIN_DEVICE = /^(?:\/dev\/)?(?:zram|sd[a-z]|vd[a-z]|nvme|dm-|md|mmcblk)[0-9a-z-]*$/;
/** Of a kernel stack: a symbol, where it is one and no bare address. */
const SYMBOL = /^[A-Za-z_]/;

/** One for all recordings of one output: what is equal in them stays so. */
export class Redaction {
  readonly #key: Buffer = randomBytes(32);
  readonly #numbers: Map<string, number> = new Map();

  /** `task-3f9a0c11d2e4`; '' stays. Of equal `text` the same. */
  text(what: string, text: string): string {
    return text === '' ? '' : `${what}-${this.#digest(what, text).toString('hex').slice(0, DIGITS)}`;
  }

  /** Below 2^bits (48 at most), and not 0; 0 stays. */
  number(what: string, value: number, bits: number): number {
    if (value === 0) return 0;
    const name = `${what} ${value}`;
    let found = this.#numbers.get(name);
    if (found === undefined) {
      if (this.#numbers.size >= MOST_REMEMBERED) this.#numbers.clear();
      found = this.#digest(what, String(value)).readUIntBE(0, 6);
      this.#numbers.set(name, found);
    }
    return (found % (2 ** bits - 1)) + 1;
  }

  /** How far addresses of this mm are moved, bytes. */
  distance(mm: number): number {
    return (this.number('distance', mm + 1, 48) % PAGES) * PAGE;
  }

  session(session: SessionInfo): SessionInfo {
    const [program = '', ...words] = session.commandLine;
    const filters = Object.entries(session.filters).map(([name, value]) => [
      name,
      name === 'comm' ? this.text('task', value) : name === 'cgroup' ? this.text('cgroup', value) : value,
    ]);
    return {
      ...session,
      host: this.text('host', session.host),
      bootId: this.text('boot', session.bootId),
      commandLine: [program.split('/').at(-1) ?? '', ...words.map((word) => this.text('word', word))],
      filters: Object.fromEntries(filters),
    };
  }

  #digest(what: string, text: string): Buffer {
    return createHmac('sha256', this.#key).update(`${what}\0${text}`).digest();
  }
}

/** `source` is the result's from now on. */
export function redactSource(source: Source, redaction: Redaction = new Redaction()): Source {
  const session = redaction.session(source.session);
  return {
    session,
    /** How a recording was cut off. */
    get truncated(): string | null {
      return 'truncated' in source && typeof source.truncated === 'string' ? source.truncated : null;
    },
    batches: () => redacted(source, redaction),
    close: () => source.close(),
  } as Source;
}

async function* redacted(source: Source, redaction: Redaction): AsyncGenerator<EventBatch> {
  let strings = new Strings(redaction);
  let of: readonly string[] | null = null;
  for await (const batch of source.batches()) {
    if (of !== batch.strings) strings = new Strings(redaction);
    of = batch.strings;
    for (let i = 0; i < batch.length; i++) redactRow(batch, i, redaction, strings);
    yield { ...batch, strings: strings.list };
  }
}

/** A source's strings as they leave: one and the same text may be a task's name here and a function there. */
class Strings {
  readonly list: string[] = [''];
  readonly #redaction: Redaction;
  readonly #ids: Map<string, number> = new Map();

  constructor(redaction: Redaction) {
    this.#redaction = redaction;
  }

  /** `what` null: it is kept. */
  id(what: string | null, text: string): number {
    if (text === '') return 0;
    const name = `${what ?? ''}\0${text}`;
    let id = this.#ids.get(name);
    if (id === undefined) {
      id = this.list.push(what === null ? text : this.#redaction.text(what, text)) - 1;
      this.#ids.set(name, id);
    }
    return id;
  }
}

/** What the text of a row is; null: nothing private. */
function kindOfText(batch: EventBatch, i: number, text: string): string | null {
  switch (batch.kind[i]) {
    case UserKind.Frame:
      return batch.value[i] === 1 && SYMBOL.test(text) ? null : 'frame';
    case UserKind.Handler:
      return SYMBOL.test(text) ? null : 'handler';
    case UserKind.SwapDevice:
      return PLAIN_DEVICE.test(text) ? null : 'device';
    case UserKind.Cgroup:
      return 'cgroup';
    case UserKind.Vma:
      return 'mapping';
    // Our own words.
    case UserKind.Unnamed:
      return null;
    default:
      return 'task';
  }
}

function redactRow(batch: EventBatch, i: number, redaction: Redaction, strings: Strings): void {
  const kind = batch.kind[i] as number;
  const text = batch.strings[batch.comm[i] as number] ?? '';
  batch.comm[i] = strings.id(kindOfText(batch, i, text), text);
  // Names of the kernel's.
  batch.file[i] = strings.id(null, batch.strings[batch.file[i] as number] ?? '');
  if (kind === VlKind.VMA_OPS || kind === UserKind.Handler) {
    // Where the kernel's code lies.
    const [high, low] = [batch[VlArgs.VMA_OPS.high], batch[VlArgs.VMA_OPS.low]];
    const address = redaction.number('code', (high[i] as number) * 2 ** 32 + (low[i] as number), 48);
    high[i] = Math.floor(address / 2 ** 32);
    low[i] = address % 2 ** 32;
  } else if (kind === VlKind.FLOR_ENTER) {
    const folios = batch[VlArgs.FLOR_ENTER.folio];
    folios[i] = redaction.number('folio', folios[i] as number, 32);
  } else if (kind === UserKind.Vma) {
    const inodes = batch[UserArgs.Vma.inode];
    inodes[i] = redaction.number('inode', inodes[i] as number, 48);
  }
  const isLocated = isWriterEvent(kind) || kind === UserKind.Lock || kind === UserKind.Vma;
  if (((batch.flags[i] as number) & VlStepFlag.INFO) === 0 && !isLocated) return;
  const mm = batch.mm[i] as number;
  const distance = redaction.distance(mm);
  for (const column of [batch.address, batch.vmaStart, batch.vmaEnd])
    if (column[i] !== 0) column[i] = (column[i] as number) + distance;
  batch.mm[i] = redaction.number('mm', mm, 48);
}
