// SPDX-License-Identifier: MIT
/** Random cases that can be repeated: a seed and a number identify each of them. */
import { Random } from '../core/random.js';

export class CaseRandom extends Random {
  constructor(seed: number, number: number) {
    super(Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) + Math.imul(number + 1, 0xc2b2_ae35));
    for (let i = 0; i < 3; i++) this.next();
  }

  /** A whole number below `n`. */
  below(n: number): number {
    return this.int(0, n - 1);
  }

  /** One in `n`. */
  one(n: number): boolean {
    return this.below(n) === 0;
  }
}

const NUMBERS = [
  0, 1, 2, 3, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff,
];

/** A copy with some bytes changed: single ones, words to the values lengths and offsets go wrong at, parts repeated or cut off. */
export function mutateBytes(random: CaseRandom, bytes: Uint8Array): Uint8Array {
  let out = bytes.slice();
  for (let hits = 1 + random.below(5); hits > 0 && out.length > 8; hits--) {
    const at = random.below(out.length);
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    switch (random.below(8)) {
      case 0:
        out[at] = random.below(256);
        break;
      case 1:
        out[at] = (out[at] as number) ^ (1 << random.below(8));
        break;
      case 2:
      case 3:
        view.setUint32(Math.min(at & ~3, (out.length - 4) & ~3), random.pick(NUMBERS), true);
        break;
      case 4:
        view.setUint16(Math.min(at & ~1, (out.length - 2) & ~1), random.pick(NUMBERS) & 0xffff, true);
        break;
      case 5:
        view.setBigUint64(
          Math.min(at & ~7, (out.length - 8) & ~7),
          BigInt(random.pick(NUMBERS)) << BigInt(random.below(33)),
          true,
        );
        break;
      case 6:
        out.copyWithin(at, random.below(out.length), random.below(out.length));
        break;
      default:
        if (random.one(4)) out = out.slice(0, at);
    }
  }
  return out;
}

const ODD = [
  '',
  ' ',
  '\n',
  '\t',
  '\0',
  '"',
  "'",
  '\\',
  '[',
  ']',
  '{',
  '}',
  '=',
  '.',
  ',',
  '#',
  '-',
  '--',
  '1e999',
  '-0',
  '9'.repeat(40),
  '\u202e',
  '\ud800',
  '\x1b[2J',
  '\x9b',
  'é',
  '日本',
  '__proto__',
  'constructor',
  '%s',
  '../..',
  '/dev/zero',
  'NaN',
  'inf',
  '0x',
  '1_000',
  "'''",
  '"""',
  '=cmd',
  '\ufeff',
];

/** Text with some of its pieces changed for others, from `words` or odd ones, taken out, or put elsewhere. */
export function mutateText(random: CaseRandom, text: string, words: readonly string[]): string {
  let out = text;
  for (let hits = 1 + random.below(4); hits > 0; hits--) {
    const at = random.below(out.length + 1);
    const length = random.one(3) ? random.below(40) : random.below(4);
    const piece = random.one(2)
      ? random.pick(ODD)
      : random.one(2)
        ? random.pick(words)
        : out.substr(random.below(out.length + 1), random.below(30));
    out = out.slice(0, at) + (random.one(5) ? '' : random.one(40) ? piece.repeat(200) : piece) + out.slice(at + length);
  }
  return out;
}

export const oddText = (random: CaseRandom): string => random.pick(ODD);

/** Of a process, a file, a host: what is shown as NaN is then a figure. */
export const oddName = (random: CaseRandom): string => oddText(random).replaceAll('NaN', 'nan');
