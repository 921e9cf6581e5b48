// SPDX-License-Identifier: MIT
/** What the rows of the transition table are written in. */
import { type ActionName, type Cell, type StateName, SYMBOLS, type SymbolName } from './states.js';

export type Row = Readonly<Record<SymbolName, Cell>>;

export const go = (next: StateName, action: ActionName, missed = ''): Cell => ({ next, action, again: false, missed });

export const over = (next: StateName, missed: string, action: ActionName = 'none'): Cell => ({
  next,
  action,
  again: true,
  missed,
});

export const every = (cell: Cell): Row => Object.fromEntries(SYMBOLS.map((name) => [name, cell])) as Row;

type Anywhere = 'Other' | 'VmaNull' | 'VmaLocked' | 'Signal' | 'TaskExit' | 'Abandoned' | 'Stack';

/** lock_vma_under_rcu begins a fault, so it never comes within one; what cuts a fault short may come anywhere. */
export const always = (state: StateName): Pick<Row, Anywhere> => ({
  Other: go(state, 'none'),
  VmaNull: go(state, 'odd'),
  VmaLocked: go(state, 'odd'),
  Signal: go('Closed', 'cutShort'),
  TaskExit: go('Closed', 'cutShort'),
  Abandoned: go('Closed', 'cutShort'),
  Stack: go(state, 'stack'),
});

type WhileRunning = 'WaitEnter' | 'WaitExit' | 'Release' | 'MmReleased';

/** handle_mm_fault runs: waits open and close, and the lock may be given back, whatever it is doing. */
export const running = (state: StateName): Pick<Row, Anywhere | WhileRunning> => ({
  ...always(state),
  WaitEnter: go(state, 'waitEnter'),
  WaitExit: go(state, 'waitExit'),
  Release: go(state, 'release'),
  MmReleased: go(state, 'mmRelease'),
});

export const returns: Pick<Row, 'HmfRetry' | 'HmfDone' | 'HmfKept' | 'HmfMmKept'> = {
  HmfRetry: go('Retried', 'hmfExit'),
  HmfDone: go('Closed', 'hmfExit'),
  HmfKept: go('Kept', 'hmfExit'),
  HmfMmKept: go('MmKept', 'hmfExit'),
};
