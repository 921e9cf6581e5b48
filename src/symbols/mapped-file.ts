// SPDX-License-Identifier: MIT
/** The file behind a mapping of another process, and what functions it names. */
import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { pin } from '../pinned.js';
import { ElfSymbols, type ReadAt } from './elf-symbols.js';
import { type Mapping, parseMaps } from './process-maps.js';

/** Never waits for the other end of a FIFO, never becomes anybody's terminal. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * Symbols of the file `mapping` of process `pid` shows; null when it is gone, may not be read, or is no ELF64 file.
 * `proc`: where procfs is mounted.
 */
export async function mappedSymbols(proc: string, pid: number, mapping: Mapping): Promise<ElfSymbols | null> {
  if (mapping.path === '[vdso]') return vdsoSymbols(proc, mapping);
  if (mapping.inode === 0n) return null;
  const file = await openMapped(proc, pid, mapping);
  if (file === null) return null;
  try {
    return await ElfSymbols.read(reader(file, 0));
  } catch {
    return null; // an I/O error, or less memory than the file asks for: frames stay numbers
  } finally {
    await file.close();
  }
}

/**
 * map_files leads to the very inode that is mapped, deleted, replaced or in whatever mount namespace it is (it takes
 * CAP_CHECKPOINT_RESTORE, proc_map_files_get_link). Without: the path as the process sees it; without the process: as
 * we do. Those two may by now be another file, which the inode shows.
 */
async function openMapped(proc: string, pid: number, mapping: Mapping): Promise<FileHandle | null> {
  const { start, end, path, inode, deleted } = mapping;
  const range = `${start.toString(16)}-${end.toString(16)}`;
  const paths = [`${proc}/${pid}/map_files/${range}`];
  if (!deleted) paths.push(`${proc}/${pid}/root${path}`, path);
  for (const [i, candidate] of paths.entries()) {
    // map_files is a link by nature; a path that the kernel printed does not end in one.
    const file = await openRegular(candidate, i === 0 ? null : inode);
    if (file !== null) return file;
  }
  return null;
}

/**
 * The regular file at `path`, if it is `inode` (null: whatever a link there stands for); null otherwise. To open anything
 * else, such as a watchdog, could do something: the process chooses what is at its paths, and may change it any moment.
 */
export async function openRegular(path: string, inode: bigint | null): Promise<FileHandle | null> {
  try {
    const pinned = pin(path, inode === null);
    try {
      return pinned.is.isFile() && (inode === null || pinned.is.ino === inode)
        ? await open(pinned.path, OPEN_FLAGS)
        : null;
    } finally {
      pinned.close();
    }
  } catch {
    return null;
  }
}

/** The kernel maps one and the same vdso into every process of our kind: our own copy stands for it. */
async function vdsoSymbols(proc: string, mapping: Mapping): Promise<ElfSymbols | null> {
  const ours = parseMaps(await readFile(`${proc}/self/maps`, 'utf8')).find(({ path }) => path === '[vdso]');
  // A 32-bit process has another.
  if (ours === undefined || ours.end - ours.start !== mapping.end - mapping.start) return null;
  const memory = await open(`${proc}/self/mem`, constants.O_RDONLY);
  try {
    return await ElfSymbols.read(reader(memory, ours.start));
  } catch {
    return null;
  } finally {
    await memory.close();
  }
}

function reader(file: FileHandle, base: number): ReadAt {
  return async (position, length) => {
    const bytes = Buffer.allocUnsafeSlow(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await file.read(bytes, done, length - done, base + position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  };
}
