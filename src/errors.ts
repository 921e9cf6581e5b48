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
  /** A defect of ours (EX_SOFTWARE, sysexits.h): 1 would say that something was found. */
  Internal: 70,
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

/** The one or two lines a user sees. */
export function errorLines({ message, remedy }: UserError): readonly [string, ...string[]] {
  return remedy === '' ? [message] : [message, `→ ${remedy}`];
}

/** What the errno of a file operation means to the person who named the file. */
const FILE_ERRORS: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  ENOENT: ['no such file or directory', 'check the path'],
  EACCES: ['permission denied', 'check the permissions of the file and of the directories above it'],
  EPERM: ['operation not permitted', 'check the permissions of the file and of the directories above it'],
  EISDIR: ['it is a directory', 'name a file'],
  ENOTDIR: ['a part of the path is not a directory', 'check the path'],
  ENOSPC: ['no space left on the device', 'make room, or write elsewhere'],
  EDQUOT: ['disk quota exceeded', 'make room, or write elsewhere'],
  EROFS: ['the file system is read-only', 'write elsewhere'],
  EMFILE: ['too many open files', 'raise `ulimit -n`'],
  EIO: ['input/output error', 'check the device'],
};

/** The `code` of a Node system error, '' for anything else. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** A `UserError` (exit 2) for a file operation that failed; a `UserError` passes through unchanged. */
export function fileError(what: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const [why, remedy] = FILE_ERRORS[errorCode(error)] ?? [error instanceof Error ? error.message : String(error), ''];
  return new UserError(what, why, remedy, ExitCode.Usage, { cause: error });
}

interface Explained extends Error {
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
}

/**
 * The error as people shall see it, or null when it is nobody's expected error (a defect: its stack is worth showing).
 * `BpfError` of ebpf-ts is recognised by its shape, so that this file depends on no other; it means: cannot observe here.
 */
export function asUserError(error: unknown): UserError | null {
  if (error instanceof UserError) return error;
  if (error instanceof Error && error.name === 'BpfError' && 'what' in error && 'why' in error && 'remedy' in error) {
    const { what, why, remedy } = error as Explained;
    return new UserError(what, why, remedy || 'run: vmalocktop doctor', ExitCode.CannotObserve, { cause: error });
  }
  return null;
}
