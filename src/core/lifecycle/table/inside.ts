// SPDX-License-Identifier: MIT
/** Rows of the transition table for what runs inside handle_mm_fault. */

import { every, go, over, type Row, returns, running } from './cells.js';
import { FILE_IN, FILE_OUT, FLOR_IN, FLOR_OUT, SWAP_IN, SWAP_OUT, UFFD_IN, UFFD_OUT } from './runs.js';
import type { StateName } from './states.js';

type InHandler =
  | keyof typeof returns
  | 'SwapEnter'
  | 'SwapExit'
  | 'SwapDevice'
  | 'FlorEnter'
  | 'FlorSleep'
  | 'FlorExit'
  | 'UffdEnter'
  | 'UffdExit'
  | 'AnonPrepare'
  | 'FileEnter'
  | 'FileSleep'
  | 'FileExit'
  | 'InnerRetry'
  | 'WaitEnter'
  | 'WaitExit'
  | 'Release'
  | 'MmReleased';

/** handle_mm_fault's own callees, from a state in which it runs and nothing inside it was seen. */
export const inHandler: Pick<Row, InHandler> = {
  ...returns,
  SwapEnter: go('Swap', 'swapEnter'),
  SwapExit: go('Swapped', 'swapExit', SWAP_IN),
  SwapDevice: over('Swap', SWAP_IN),
  FlorEnter: over('Swap', SWAP_IN),
  FlorSleep: over('Swap', SWAP_IN),
  FlorExit: over('Swap', SWAP_IN),
  UffdEnter: go('Uffd', 'uffdEnter'),
  UffdExit: go('Unwind', 'uffdExit', UFFD_IN),
  AnonPrepare: go('AnonTried', 'anonPrepare'),
  FileEnter: go('File', 'fileEnter'),
  FileSleep: over('File', FILE_IN, 'fileEntryMissed'),
  FileExit: go('Leaving', 'fileExit', FILE_IN),
  InnerRetry: go('Leaving', 'innerRetry'),
  WaitEnter: go('Held', 'waitEnter'),
  WaitExit: go('Held', 'waitExit'),
  Release: go('Held', 'release'),
  MmReleased: go('Held', 'mmRelease'),
};

/**
 * do_swap_page's callees come in this order, each at most once: get_swap_device (its first call alone is sent),
 * __folio_lock_or_retry, then handle_userfault or __vmf_anon_prepare. What comes out of order is of another attempt.
 */
const inSwap: Pick<
  Row,
  'SwapExit' | 'FlorEnter' | 'FlorSleep' | 'FlorExit' | 'UffdEnter' | 'UffdExit' | 'AnonPrepare'
> = {
  SwapExit: go('Swapped', 'swapExit'),
  FlorEnter: go('Flor', 'florEnter'),
  FlorSleep: over('Flor', FLOR_IN, 'florEntryMissed'),
  FlorExit: go('SwapWoke', 'florExit', FLOR_IN),
  UffdEnter: go('SwapUffd', 'uffdEnter'),
  UffdExit: go('SwapTail', 'uffdExit', UFFD_IN),
  AnonPrepare: go('SwapLeaving', 'anonPrepare'),
};

interface FileNames<S extends StateName> {
  readonly file: S;
  readonly slept: S;
  readonly uffd: S;
  readonly tail: S;
  /** Where its return leads. */
  readonly out: StateName;
}

/** filemap_fault or shmem_fault; shmem_fault may call handle_userfault, asleep before or not. */
function fileStates<S extends StateName>({ file, slept, uffd, tail, out }: FileNames<S>): Record<S, Row> {
  const left = every(over(out, FILE_OUT));
  const inFile = (state: S): Row => ({
    ...left,
    ...running(state),
    FileExit: go(out, 'fileExit'),
    UffdEnter: go(uffd, 'uffdEnter'),
    UffdExit: go(tail, 'uffdExit', UFFD_IN),
  });
  return {
    [file]: { ...inFile(file), FileSleep: go(slept, 'fileSleep') },
    [slept]: inFile(slept),
    [uffd]: { ...every(over(tail, UFFD_OUT)), ...running(uffd), UffdExit: go(tail, 'uffdExit') },
    [tail]: { ...left, ...running(tail), FileExit: go(out, 'fileExit') },
  } as Record<S, Row>;
}

const PLAIN = fileStates({
  file: 'File',
  slept: 'FileSlept',
  uffd: 'FileUffd',
  tail: 'FileTail',
  out: 'Leaving',
});

/** do_swap_page returns from within: its entry was missed. */
export const FILE_STATES: Readonly<Record<'File' | 'FileSlept' | 'FileUffd' | 'FileTail', Row>> = {
  File: { ...PLAIN.File, SwapExit: over('SwapFile', SWAP_IN) },
  FileSlept: { ...PLAIN.FileSlept, SwapExit: over('SwapFileSlept', SWAP_IN) },
  FileUffd: { ...PLAIN.FileUffd, SwapExit: over('SwapFileUffd', SWAP_IN) },
  FileTail: { ...PLAIN.FileTail, SwapExit: over('SwapFileTail', SWAP_IN) },
};

type SwapState = Extract<StateName, `Swap${string}` | `Flor${string}`>;

export const SWAP_STATES: Readonly<Record<Exclude<SwapState, 'Swapped'>, Row>> = {
  Swap: {
    ...every(over('Swapped', SWAP_OUT)),
    ...running('Swap'),
    ...inSwap,
    SwapDevice: go('SwapRead', 'swapDevice'),
    // A pte marker where a file's page was: handle_pte_marker goes on to ->fault.
    FileEnter: go('SwapFile', 'fileEnter'),
    FileSleep: over('SwapFile', FILE_IN, 'fileEntryMissed'),
    FileExit: go('SwapLeaving', 'fileExit', FILE_IN),
  },
  SwapRead: { ...every(over('Swapped', SWAP_OUT)), ...running('SwapRead'), ...inSwap },
  Flor: {
    ...every(over('SwapWoke', FLOR_OUT)),
    ...running('Flor'),
    FlorSleep: go('FlorSlept', 'florSleep'),
    FlorExit: go('SwapWoke', 'florExit'),
  },
  FlorSlept: {
    ...every(over('SwapWoke', FLOR_OUT)),
    ...running('FlorSlept'),
    FlorExit: go('SwapWoke', 'florExit'),
  },
  SwapWoke: {
    ...every(over('Swapped', SWAP_OUT)),
    ...running('SwapWoke'),
    SwapExit: inSwap.SwapExit,
    UffdEnter: inSwap.UffdEnter,
    UffdExit: inSwap.UffdExit,
    AnonPrepare: inSwap.AnonPrepare,
  },
  SwapUffd: {
    ...every(over('SwapTail', UFFD_OUT)),
    ...running('SwapUffd'),
    UffdExit: go('SwapTail', 'uffdExit'),
    FileExit: over('SwapFileUffd', FILE_IN),
  },
  SwapTail: {
    ...every(over('Swapped', SWAP_OUT)),
    ...running('SwapTail'),
    SwapExit: inSwap.SwapExit,
    FileExit: go('SwapLeaving', 'fileExit', FILE_IN),
  },
  ...fileStates({
    file: 'SwapFile',
    slept: 'SwapFileSlept',
    uffd: 'SwapFileUffd',
    tail: 'SwapFileTail',
    out: 'SwapLeaving',
  }),
  SwapLeaving: {
    ...every(over('Swapped', SWAP_OUT)),
    ...running('SwapLeaving'),
    SwapExit: inSwap.SwapExit,
    AnonPrepare: inSwap.AnonPrepare,
  },
};
