// SPDX-License-Identifier: MIT
/** Names for addresses: of the kernel from kallsyms, of processes from their mappings and files. */
import { closeSync, openSync } from 'node:fs';
import { errorCode } from '../errors.js';
import { Kallsyms, type KallsymsAttempt } from './kallsyms.js';
import { Readers } from './readers.js';
import { UserSymbols } from './user-symbols.js';

export class Symbols {
  /** Why kernel addresses have no names; empty while that is not so. */
  kernelWhy = '';
  readonly #readers: Readers = new Readers();
  readonly #user: UserSymbols;
  readonly #path: string;
  /** undefined: not read yet. */
  #kernel: Kallsyms | null | undefined;
  #reading = false;

  /** `proc`: where procfs is mounted. */
  constructor(proc = '/proc') {
    this.#user = new UserSymbols(this.#readers, proc);
    this.#path = `${proc}/kallsyms`;
  }

  /** How often the mappings of a process could not be read (it had ended, or we may not): its stacks may lack names. */
  get unreadable(): number {
    return this.#user.unreadable;
  }

  /**
   * Begins to read the kernel's symbols. After our programs are attached, so that their own code has names as well,
   * and before capabilities are dropped: it takes CAP_SYSLOG.
   */
  prime(): void {
    if (this.#kernel !== undefined || this.#reading) return;
    this.#reading = true;
    let opened: number;
    try {
      // Now: CAP_SYSLOG is checked at open (kallsyms_open), not at later reads.
      opened = openSync(this.#path, 'r');
    } catch (error) {
      this.#take({ kallsyms: null, why: `${this.#path}: ${errorCode(error) || String(error)}` });
      return;
    }
    this.#readers.run(async () => {
      const attempt = await Kallsyms.inTurns(opened, this.#path);
      closeSync(opened);
      this.#take(attempt);
    });
  }

  #take({ kallsyms, why }: KallsymsAttempt): void {
    this.#kernel = kallsyms;
    this.kernelWhy = why;
    this.#reading = false;
  }

  /** As `Kallsyms.symbol`, innermost first; bare addresses where they are hidden. null: not read yet, ask again (never when `final`). */
  kernel(addresses: readonly bigint[], final = false): string[] | null {
    this.prime();
    if (this.#kernel === undefined) {
      if (!final) return null;
      this.kernelWhy = `${this.#path}: not read by the end of the session`;
    }
    return addresses.map((address, i) => this.#kernel?.symbol(address, i > 0) ?? `0x${address.toString(16)}`);
  }

  /** Name of the kernel function a pointer points to. null: not read yet, or (when `kernelWhy` says why) never available. */
  handler(address: bigint): string | null {
    this.prime();
    return this.#kernel?.symbol(address) ?? null;
  }

  /** As `UserSymbols.frames`. */
  user(pid: number, addresses: readonly bigint[], final = false): string[] | null {
    return this.#user.frames(pid, addresses, final);
  }

  /** As `UserSymbols.prepare`. */
  prepare(pid: number, addresses: readonly bigint[]): void {
    this.#user.prepare(pid, addresses);
  }

  /** Resolves when nothing is being read any more, at the latest after `ms`. */
  settle(ms: number): Promise<void> {
    return this.#readers.idle(ms);
  }
}
