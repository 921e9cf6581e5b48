// SPDX-License-Identifier: MIT
/** What a reader says of bytes it cannot use. All are bad input: exit code 2. */
import { ExitCode, UserError } from '../../errors.js';

function unreadable(name: string, why: string, remedy: string, cause?: unknown): UserError {
  return new UserError(`cannot read ${name}`, why, remedy, ExitCode.Usage, cause === undefined ? undefined : { cause });
}

const MAKE_ONE = 'make a recording with `vmalocktop record -o FILE`';

export function emptyInput(name: string): UserError {
  return unreadable(name, 'it is empty', 'check whether the recorder started; if not, its own messages say why');
}

/** First bytes people are likely to hand over, and what to do with each. */
const MAGICS: readonly (readonly [magic: string, why: string, remedy: string])[] = [
  ['ARROW1', 'it is an Arrow file, not the Arrow stream a recording is', 'give the recording as vmalocktop wrote it'],
  ['\x1f\x8b', 'it is compressed by gzip', 'unpack it first: `gunzip -c FILE | vmalocktop replay -`'],
  ['\x28\xb5\x2f\xfd', 'it is compressed by zstd', 'unpack it first: `zstdcat FILE | vmalocktop replay -`'],
  ['\xfd7zXZ', 'it is compressed by xz', 'unpack it first: `xzcat FILE | vmalocktop replay -`'],
  ['PAR1', 'it is a Parquet file, which is an export', 'give the recording it was exported from'],
];

export function notArrow(name: string, first: Uint8Array): UserError {
  const text = Buffer.from(first.buffer, first.byteOffset, first.length).toString('latin1');
  for (const [magic, why, remedy] of MAGICS) if (text.startsWith(magic)) return unreadable(name, why, remedy);
  return unreadable(name, 'it is not a recording (no Arrow stream begins like this)', MAKE_ONE);
}

export function foreignArrow(name: string): UserError {
  return unreadable(name, 'it is an Arrow stream, but not one of vmalocktop', MAKE_ONE);
}

export function newerFormat(name: string, found: string, known: number): UserError {
  const why = `its format is version ${found}, this vmalocktop reads ${known}`;
  return unreadable(name, why, 'read it with the version of vmalocktop that wrote it, or a newer one');
}

export function otherColumns(name: string, difference: string): UserError {
  return unreadable(
    name,
    `its columns are not those of a recording: ${difference}`,
    'give the recording as vmalocktop wrote it',
  );
}

export function headCutOff(name: string): UserError {
  return unreadable(name, 'it was cut off before its head was complete', 'copy it again, or record again');
}

export function damagedHead(name: string, why: string, cause?: unknown): UserError {
  return unreadable(name, `its head is damaged: ${why}`, 'copy it again, or record again', cause);
}

/** `offset`: where the other recording begins. */
export function otherSession(name: string, offset: number): UserError {
  const why = `a recording of another session begins at byte ${offset}`;
  return unreadable(name, why, 'what came before it was read; only the parts of one recording can be joined');
}

export function partsApart(name: string, before: number, after: number): UserError {
  const why = `part ${after} follows part ${before}`;
  return unreadable(name, why, 'what came before it was read; give all the parts, in their order');
}

/** Both in ns since the session's base. */
export function beyondTheEnd(from: number, end: number): UserError {
  const seconds = (ns: number): string => `${(ns / 1e9).toFixed(3)} s`;
  return new UserError(
    `cannot begin at ${seconds(from)}`,
    `the recording ends at ${seconds(end)}`,
    'give an earlier --from',
    ExitCode.Usage,
  );
}

/** `offset`: where the damaged message begins. */
export function damaged(name: string, offset: number, why: string, cause?: unknown): UserError {
  const remedy = 'what came before it was read; copy the file again if there is another copy';
  return unreadable(name, `damaged at byte ${offset}: ${why}`, remedy, cause);
}

const READ_CAUSES: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  ENOENT: ['there is no such file', 'check the path'],
  ENOTDIR: ['there is no such file', 'check the path'],
  EACCES: ['permission denied', 'read it as its owner; a recording made by root belongs to root'],
  EPERM: ['permission denied', 'read it as its owner; a recording made by root belongs to root'],
  EISDIR: ['it is a directory', 'name a recording'],
};

/** An error of the operating system while opening or reading. */
export function readError(name: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const [why, remedy] = READ_CAUSES[(error as NodeJS.ErrnoException).code ?? ''] ?? [
    text,
    'check whether the device or the connection works',
  ];
  return unreadable(name, why, remedy, error);
}
