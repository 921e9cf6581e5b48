// SPDX-License-Identifier: MIT
/** The executable mappings of a process, from /proc/PID/maps. */

export interface Mapping {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** Of `start` within the file, in bytes. */
  readonly offset: number;
  /** `major:minor` of the file system, as maps prints it. */
  readonly device: string;
  /** 0: no file. */
  readonly inode: bigint;
  /** As the process sees it; `[vdso]`, `[anon:…]` or empty where there is no file. */
  readonly path: string;
  /** The file is gone from its directory; it lives on in the mapping. */
  readonly deleted: boolean;
}

const LINE = /^([0-9a-f]+)-([0-9a-f]+) (....) ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+) *(.*)$/;
const DELETED = ' (deleted)';

/** Code is all that a stack runs through: the other mappings (tens of thousands may be) are passed over. Ascending, as the kernel prints them. */
export function parseMaps(text: string): Mapping[] {
  const mappings: Mapping[] = [];
  for (const line of text.split('\n')) {
    if (line[line.indexOf(' ') + 3] !== 'x') continue;
    const match = LINE.exec(line);
    if (match === null) continue;
    const [, start = '', end = '', , offset = '', device = '', inode = '', raw = ''] = match;
    const deleted = inode !== '0' && raw.endsWith(DELETED);
    mappings.push({
      start: Number.parseInt(start, 16),
      end: Number.parseInt(end, 16),
      offset: Number.parseInt(offset, 16),
      device,
      inode: BigInt(inode),
      // seq_path() escapes what would break the line.
      path: (deleted ? raw.slice(0, -DELETED.length) : raw).replaceAll('\\012', '\n'),
      deleted,
    });
  }
  return mappings;
}

/** The mapping `address` lies in. */
export function mappingAt(mappings: readonly Mapping[], address: number): Mapping | null {
  let low = 0;
  let high = mappings.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const mapping = mappings[middle] as Mapping;
    if (address < mapping.start) high = middle;
    else if (address >= mapping.end) low = middle + 1;
    else return mapping;
  }
  return null;
}
