// SPDX-License-Identifier: MIT
/**
 * Whether this kernel gives swap faults under the VMA lock back without handling them, known by what it does. One fault
 * does not show it: a missed run of the programs on get_swap_device and __folio_lock_or_retry looks the same. What shows it is
 * the fallback of the same fault, which asks for the device that the attempt before it did not ask for.
 */

/** Refusals that their own fallback confirmed, before the kernel is believed to refuse. */
const CONFIRMED = 4;
/** One device asked for under the VMA lock outweighs so many: programs miss a run now and then, and a kernel's rule is a rule. */
const PER_HANDLED = 64;

export class SwapRefusals {
  #confirmed = 0;
  #handled = 0;

  /** A device was asked for, or its folio waited for, under the VMA lock. */
  handled(): void {
    this.#handled++;
  }

  /** do_swap_page returned RETRY under the VMA lock before any device was asked for, and then the fallback asked for it. */
  confirmed(): void {
    this.#confirmed++;
  }

  get proven(): boolean {
    return this.#confirmed >= CONFIRMED && this.#confirmed > PER_HANDLED * this.#handled;
  }
}
