#!/usr/bin/env node
// SPDX-License-Identifier: MIT
/** `ebpf-ts generate` and `ebpf-ts check`. Exit 0: fine; 1: relocations or targets are missing; 2: usage or bad input. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checkRelocations } from './core-check.js';
import { BpfError } from './errors.js';
import { generateTypes } from './generate.js';

const USAGE = `usage: ebpf-ts generate OBJECT [--name NAME] [--type STRUCT]... [--out FILE]
       ebpf-ts check OBJECT BTF...

generate   TypeScript types of the object's programs, maps, globals and structs
check      which CO-RE relocations of the object find nothing in these kernels' BTF
           (raw BTF, or ELF with a .BTF section); nothing is loaded
`;

function generate(args: string[]): number {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { name: { type: 'string' }, type: { type: 'string', multiple: true }, out: { type: 'string' } },
  });
  const [object, ...rest] = positionals;
  if (object === undefined || rest.length > 0) return usage();
  const file = /([^/]+?)(\.bpf)?\.o$/.exec(object)?.[1] ?? 'object';
  const name = values.name ?? file.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, c: string) => c.toUpperCase());
  const text = generateTypes(readFileSync(object), name, values.type ?? []);
  if (values.out === undefined) process.stdout.write(text);
  else writeFileSync(values.out, text);
  return 0;
}

function check(args: string[]): number {
  const { positionals } = parseArgs({ args, allowPositionals: true });
  const [object, ...targets] = positionals;
  if (object === undefined || targets.length === 0) return usage();
  let missing = 0;
  for (const target of targets) {
    const { relocations, unmatched, missingTargets } = checkRelocations(object, target);
    const open = unmatched.filter((relocation) => !relocation.guarded);
    missing += open.length + missingTargets.length;
    process.stdout.write(
      `${target}: ${relocations.length} relocations, ${unmatched.length} unmatched, ${open.length} of them unguarded; ${missingTargets.length} targets missing\n`,
    );
    for (const { program, access, kind, state, guarded } of unmatched)
      process.stdout.write(`  ${program}: ${access} (${kind}): ${state}${guarded ? ', guarded' : ''}\n`);
    for (const { program, target: name } of missingTargets) process.stdout.write(`  ${program}: no ${name}\n`);
  }
  return missing > 0 ? 1 : 0;
}

function usage(): number {
  process.stderr.write(USAGE);
  return 2;
}

try {
  const [command, ...args] = process.argv.slice(2);
  if (command === '--help' || command === '-h') process.stdout.write(USAGE);
  else process.exitCode = command === 'generate' ? generate(args) : command === 'check' ? check(args) : usage();
} catch (error) {
  const expected = error instanceof BpfError || (error instanceof Error && 'code' in error);
  if (!expected) throw error;
  process.stderr.write(`${error.message}\n${error instanceof BpfError && error.remedy ? `→ ${error.remedy}\n` : ''}`);
  process.exitCode = 2;
}
