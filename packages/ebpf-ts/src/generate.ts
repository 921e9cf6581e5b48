// SPDX-License-Identifier: MIT
/** TypeScript types of an object's programs, maps, globals and structs, from its BTF: the `Shape` that `BpfObject.open` takes. */
import { cString, listOf, plainBytes } from './arguments.js';
import { Btf } from './btf.js';
import { BtfKind, type BtfMember } from './btf-kinds.js';
import { typedArrayName } from './codec-array.js';
import { scalarOf } from './codec-scalar.js';
import { elfSection, functionsOf } from './elf.js';
import { BpfError, misuse } from './errors.js';
import { shown } from './words.js';

const pascal = (name: string): string => name.replace(/(?:^|_+)([A-Za-z0-9])/g, (_, c: string) => c.toUpperCase());
const property = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));

class Writer {
  readonly #btf: Btf;
  /** Named structs and unions in the order they are met; their text once it is written. */
  readonly interfaces: Map<number, string> = new Map();
  readonly #names: Map<string, number> = new Map();

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  /** The TypeScript type of values of type `id`; `codec.ts` says what they are. */
  type(id: number): string {
    const btf = this.#btf;
    const type = btf.skip(id);
    const kind = btf.kind(type);
    if (kind === BtfKind.Struct || kind === BtfKind.Union)
      return this.#record(type, btf.name(type) || typedefName(btf, id));
    if (kind === BtfKind.Array) {
      const { type: element } = btf.arrayOf(type);
      const scalar = scalarOf(btf, btf.skip(element));
      if (scalar?.kind === 'char') return 'string';
      return (scalar && typedArrayName(scalar)) ?? `readonly ${parenthesised(this.type(element))}[]`;
    }
    const scalar = scalarOf(btf, type);
    if (scalar === null) return 'never';
    if (scalar.kind === 'bool') return 'boolean';
    return scalar.kind === 'float' || scalar.size <= 4 ? 'number' : 'bigint';
  }

  #record(id: number, cName: string): string {
    if (cName === '') return `{ ${this.#members(id).join(' ')} }`;
    let name = pascal(cName);
    // Two C names may become one: `a_b` and `aB`.
    while (this.#names.has(name) && this.#names.get(name) !== id) name += '_';
    this.#names.set(name, id);
    if (!this.interfaces.has(id)) {
      this.interfaces.set(id, ''); // first, for a struct that comes back to itself
      const word = this.#btf.kind(id) === BtfKind.Union ? 'union' : 'struct';
      const lines = this.#members(id).map((line) => `  ${line}\n`);
      this.interfaces.set(id, `/** ${word} ${cName} */\nexport interface ${name} {\n${lines.join('')}}\n`);
    }
    return name;
  }

  /** Of a union each member may be left out: a value to be written gives one of them, a value that was read has all. */
  #members(id: number): string[] {
    const mark = this.#btf.kind(id) === BtfKind.Union ? '?' : '';
    return this.#btf.members(id).flatMap((member: BtfMember): string[] => {
      if (member.name !== '') return [`readonly ${property(member.name)}${mark}: ${this.#member(member)};`];
      if (member.bits !== null) return [];
      return this.#members(this.#btf.skip(member.type)).map((line) =>
        mark ? line.replace(/^(readonly [^?:]+):/, '$1?:') : line,
      );
    });
  }

  #member(member: BtfMember): string {
    if (member.bits === null) return this.type(member.type);
    if (scalarOf(this.#btf, this.#btf.skip(member.type))?.kind === 'bool') return 'boolean';
    return member.bits.width <= 32 ? 'number' : 'bigint';
  }
}

const parenthesised = (type: string): string =>
  /^[\w{]/.test(type) && !type.startsWith('readonly') ? type : `(${type})`;

function typedefName(btf: Btf, id: number): string {
  return btf.kind(id) === BtfKind.Typedef ? btf.name(id) : '';
}

/** Key and value types of a BTF-defined map, a key of 0 (void) for queues and stacks: members `key` and `value` of its struct are pointers to them. */
function mapTypes(btf: Btf, variable: number): { key: number; value: number } | null {
  const members = btf.members(btf.skip(btf.target(variable)));
  const of = (name: string): number => {
    const member = members.find((m) => m.name === name);
    return member === undefined ? 0 : btf.target(btf.skip(member.type));
  };
  const [key, value] = [of('key'), of('value')];
  return value === 0 ? null : { key, value };
}

function variablesOf(btf: Btf, section: RegExp): { name: string; id: number; type: number }[] {
  const found: { name: string; id: number; type: number }[] = [];
  for (let id = 1; id < btf.count; id++) {
    if (btf.kind(id) !== BtfKind.Datasec || !section.test(btf.name(id))) continue;
    for (let i = 0; i < btf.vlen(id); i++) {
      const variable = btf.word(id, 12 + 12 * i);
      found.push({ name: btf.name(variable), id: variable, type: btf.target(variable) });
    }
  }
  return found;
}

/** Structs the object's own sources define are all written; those of the kernel only where a map or a global has them. */
function ownStructs(btf: Btf, names: readonly string[]): number[] {
  return names.map((name) => {
    const id = btf.find(BtfKind.Struct, name) || btf.find(BtfKind.Union, name);
    if (id !== 0) return id;
    throw new BpfError({
      what: `generate the type ${name}`,
      why: 'the BTF of the object has none of that name',
      remedy: `have a variable refer to it: struct ${name} *unused_${name};`,
      code: 'ERR_BPF_NAME',
    });
  });
}

/** The text of a module. `name` is the exported shape's; `types` are structs to write besides, such as records of a ring. */
export function generateTypes(given: Uint8Array, name: string, types: readonly string[] = []): string {
  const what = 'generate types';
  const elf = plainBytes(given, what);
  if (!/^[A-Za-z_$][\w$]*$/.test(cString(name, what)))
    throw misuse('ERR_BPF_NAME', what, `${shown(name)} is no name of an interface`);
  const wanted = listOf(types, what).map((type) => cString(type, what));
  const btf = Btf.fromElf(elf);
  const writer = new Writer(btf);
  const programs = functionsOf(elf)
    .filter(({ section }) => section !== '.text')
    .map((f) => `'${f.name}'`);
  const maps =
    elfSection(elf, '.maps') === null
      ? []
      : variablesOf(btf, /^\.maps$/).map((map) => {
          const found = mapTypes(btf, map.id);
          const types =
            found === null
              ? ['never', 'never']
              : [found.key === 0 ? 'never' : writer.type(found.key), writer.type(found.value)];
          return `    readonly ${map.name}: { readonly key: ${types[0]}; readonly value: ${types[1]} };\n`;
        });
  const globals = variablesOf(btf, /^\.(rodata|data|bss|kconfig)/).map(
    (variable) => `    readonly ${property(variable.name)}: ${writer.type(variable.type)};\n`,
  );
  for (const id of ownStructs(btf, wanted)) writer.type(id);
  const structs = [...writer.interfaces.keys()]
    .filter((id) => btf.name(id) !== '')
    .map((id) => `    readonly ${btf.name(id)}: ${writer.type(id)};\n`);
  return [
    '// Generated by `ebpf-ts generate` from the BTF of the object; do not edit.\n',
    ...[...writer.interfaces.values()].map((text) => `\n${text}`),
    `\nexport interface ${name} {\n`,
    `  readonly programs: ${programs.join(' | ') || 'never'};\n`,
    `  readonly maps: {\n${maps.join('')}  };\n`,
    `  readonly globals: {\n${globals.join('')}  };\n`,
    `  readonly types: {\n${structs.join('')}  };\n`,
    '}\n',
  ].join('');
}
