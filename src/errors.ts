// SPDX-License-Identifier: MIT
/** Errors people read: `what failed: cause`, then `→ what to do`. This file owns their wording and the exit codes. */

export const ExitCode = {
  Ok: 0,
  /** A finding: a violated invariant, an alert in --fail-on. */
  Finding: 1,
  /** Usage or bad input. */
  Usage: 2,
  /** Cannot observe here: privilege or kernel. */
  CannotObserve: 3,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export class UserError extends Error {
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
  readonly exitCode: ExitCode;

  constructor(what: string, why: string, remedy: string, exitCode: ExitCode, options?: { cause?: unknown }) {
    super(`${what}: ${why}`, options);
    this.name = 'UserError';
    this.what = what;
    this.why = why;
    this.remedy = remedy;
    this.exitCode = exitCode;
  }
}

/** The two lines a user sees. */
export function formatUserError(error: UserError): string {
  return error.remedy ? `${error.message}\n→ ${error.remedy}` : error.message;
}
