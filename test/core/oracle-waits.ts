// SPDX-License-Identifier: MIT
/** For the oracle: the waits of one attempt, and the lock held meanwhile. */
import type { WaitKind } from '../../src/core/vocabulary/waits.js';
import { VlFile, VlKind } from '../../src/schema/events.gen.js';
import { LOCKING, type Pass, passFlags } from './oracle-passes.js';
import { FLAG, RET } from './session.js';
import type { SyntheticRow } from './synthetic-pack.js';

const K = VlKind;
const { FAULT_FLAG_VMA_LOCK, FAULT_FLAG_TRIED } = FLAG;
const KINDS: readonly WaitKind[] = ['folio', 'syncRead', 'migration', 'reclaim', 'memcgReclaim', 'fileRead', 'swapin'];

export interface OracleWait {
  readonly kind: WaitKind;
  readonly start: number;
  held: 'vma' | 'mmap' | 'none' | 'unknown';
  end: number;
  slept: boolean;
  contended: number;
  holder: number;
}

export interface PassWaits {
  readonly waits: OracleWait[];
  /** Something of a nested wait is missing. */
  readonly torn: boolean;
  /** When filemap_fault was seen to have dropped the lock. */
  readonly fileDropped: number;
}

const fileKind = (bits: number): WaitKind => (bits & VlFile.SHMEM ? 'shmem' : 'file');

/** `lock`: that of the attempt, null when not known; `releases`: rows after which its lock is gone. */
export function waitsOf(pass: Pass, lock: 'vma' | 'mmap' | null, order: (row: SyntheticRow) => number): PassWaits {
  const waits: OracleWait[] = [];
  const open: OracleWait[] = [];
  let torn = false;
  let gone = false;
  let fileDropped = Number.NaN;
  let inFilemap: 'no' | 'drops' | 'keeps' = 'no';
  let flags: number | null = null;
  const start = (kind: WaitKind, at: number, held: OracleWait['held']): void => {
    const wait = { kind, start: at, held, end: Number.NaN, slept: false, contended: Number.NaN, holder: 0 };
    waits.push(wait);
    open.push(wait);
  };
  const lose = (down: number): void => {
    for (const wait of open.splice(down)) if (KINDS.indexOf(wait.kind) > 0) torn = true;
  };
  const end = (kind: WaitKind, at: number): OracleWait | undefined => {
    const i = open.findLastIndex((wait) => wait.kind === kind);
    if (i < 0) return undefined;
    const wait = open[i] as OracleWait;
    lose(i + 1);
    open.pop();
    wait.end = at;
    return wait;
  };
  const dropped = (at: number): void => {
    if (!Number.isNaN(fileDropped)) return;
    fileDropped = at;
    gone = true;
    for (const wait of open) if (wait.kind === 'file') wait.held = 'none';
  };
  const extra = [pass.released, pass.mmReleased].filter((row) => row !== null);
  for (const row of [...pass.rows, ...extra].sort((x, y) => order(x) - order(y))) {
    if (
      !LOCKING.includes(row.kind) &&
      row.kind !== K.MM_LOCK_EXIT &&
      row.kind !== K.WAIT_ENTER &&
      row.kind !== K.WAIT_EXIT
    ) {
      const i = open.findIndex((wait) => wait.kind === 'mmapLock');
      if (i >= 0) open.splice(i, 1);
    }
    flags = passFlags(row) ?? flags;
    const retry = (row.b & RET.VM_FAULT_RETRY) !== 0;
    const tried = flags !== null && (flags & FAULT_FLAG_TRIED) !== 0;
    switch (row.kind) {
      case K.MM_LOCK_ENTER:
        start('mmapLock', row.time, 'none');
        break;
      case K.MM_CONTENDED: {
        const wait = open.find((one) => one.kind === 'mmapLock');
        if (wait !== undefined && Number.isNaN(wait.contended))
          Object.assign(wait, { contended: row.time, holder: row.a });
        break;
      }
      case K.MM_LOCK_EXIT:
        end('mmapLock', row.time);
        break;
      case K.FLOR_ENTER:
        start('folio', row.time, !tried ? 'none' : row.a & FAULT_FLAG_VMA_LOCK ? 'vma' : 'mmap');
        break;
      case K.FLOR_SLEEP:
        for (const wait of open) if (wait.kind === 'folio') wait.slept = true;
        break;
      case K.FLOR_EXIT:
        end('folio', row.time);
        gone ||= retry;
        break;
      case K.UFFD_ENTER:
        start('userfault', row.time, 'none');
        inFilemap = 'no';
        break;
      case K.UFFD_EXIT:
        end('userfault', row.time);
        gone ||= retry;
        break;
      case K.FILE_ENTER:
        start(fileKind(row.b), row.time, row.a & FAULT_FLAG_VMA_LOCK ? 'vma' : 'mmap');
        if (!(row.b & VlFile.SHMEM)) inFilemap = tried ? 'keeps' : 'drops';
        break;
      case K.FILE_SLEEP: {
        const wait = open.findLast((one) => one.kind === 'file' || one.kind === 'shmem');
        if (wait !== undefined) {
          wait.slept = true;
          if (inFilemap === 'drops' && wait === open.at(-1)) dropped(row.time);
        } else inFilemap = 'drops';
        break;
      }
      case K.FILE_EXIT: {
        const wait = open.findLast((one) => one.kind === fileKind(row.a));
        if (wait !== undefined && retry && !tried) wait.held = 'none';
        end(fileKind(row.a), row.time);
        gone ||= retry;
        inFilemap = 'no';
        break;
      }
      case K.MM_RELEASED:
        if (inFilemap === 'drops' && open.some((one) => one.kind === 'file')) dropped(row.time);
        gone = true;
        break;
      case K.VMA_RELEASE:
        gone = true;
        break;
      case K.HMF_EXIT:
        lose(0);
        break;
      case K.WAIT_ENTER: {
        const kind = KINDS[row.a] as WaitKind;
        const again = open.findIndex((one) => one.kind === kind);
        if (kind === 'fileRead' && inFilemap === 'drops' && pass.rows.some((one) => one.kind === K.FILE_ENTER))
          dropped(row.time);
        if (again >= 0) lose(again);
        const around = open.at(-1);
        if (around?.kind === 'folio' || around?.kind === 'userfault') start(kind, row.time, around.held);
        else if (around?.kind === 'mmapLock') start(kind, row.time, 'unknown');
        else if (gone) start(kind, row.time, 'none');
        else if (inFilemap === 'drops') start(kind, row.time, 'unknown');
        else start(kind, row.time, lock ?? 'unknown');
        break;
      }
      case K.WAIT_EXIT:
        if (end(KINDS[row.a] as WaitKind, row.time) === undefined) torn = true;
        break;
      default:
        gone ||= retry && [K.SWAP_EXIT, K.INNER_RETRY, K.ANON_PREPARE].some((kind) => kind === row.kind);
    }
  }
  if (pass.next !== null) lose(0);
  return { waits, torn, fileDropped };
}
