// SPDX-License-Identifier: MIT
/**
 * Writes src/schema/events.gen.ts from the BTF of the compiled object:
 *
 *     node dist/scripts/gen-schema.js dist/bpf/vmalocktop.bpf.o [--check] [--out FILE]
 *
 * --check writes nothing: it compares, says what differs, and exits with 1 when something does.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BpfError, Btf } from 'ebpf-ts';
import { generate } from '../src/schema/generate.js';

/** Lines only one of the two has, as `- old` and `+ new`; enough for a layout, where lines are unique within their block. */
function differences(before: string, after: string): string[] {
  const old = before.split('\n');
  const now = after.split('\n');
  return [
    ...old.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !old.includes(line)).map((line) => `+ ${line}`),
  ];
}

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      check: { type: 'boolean', default: false },
      out: { type: 'string', default: 'src/schema/events.gen.ts' },
    },
  });
  const object = positionals[0];
  if (object === undefined || positionals.length > 1) {
    console.error('usage: gen-schema OBJECT.bpf.o [--check] [--out FILE]');
    return 2;
  }
  const text = generate(Btf.fromElf(readFileSync(object)));
  if (!values.check) {
    writeFileSync(values.out, text);
    return 0;
  }
  const before = readFileSync(values.out, 'utf8');
  if (before === text) return 0;
  const lines = differences(before, text);
  console.error(`${values.out} differs from the layout of ${object}:`);
  console.error(lines.length > 0 ? lines.join('\n') : '(the same lines in another order)');
  console.error(`→ run: node dist/scripts/gen-schema.js ${object}`);
  return 1;
}

try {
  process.exitCode = main();
} catch (error) {
  if (!(error instanceof BpfError)) throw error;
  console.error(`${error.message}\n→ ${error.remedy}`);
  process.exitCode = 1;
}
