// SPDX-License-Identifier: MIT
/**
 * The wire layout as TypeScript, from the BTF of the compiled object: bpf/events.h, counters.h and args.h are the
 * only definition, and clang's word on where a field lies is better than ours.
 */
import { createHash } from 'node:crypto';
import { BpfError, type Btf } from 'ebpf-ts';

const STRUCTS = ['vl_step', 'vl_open', 'vl_writer', 'vl_vma', 'vl_cpu', 'vl_counted'] as const;
const ENUMS = [
  'vl_kind',
  'vl_step_flag',
  'vl_lock_flag',
  'vl_counter',
  'vl_hist',
  'vl_scope',
  'vl_counted_limit',
  'vl_found',
  'vl_holder',
  'vl_file',
  'vl_wait',
  'vl_inner',
  'vl_note',
  'vl_mapping',
] as const;

interface Field {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly length: number;
}
/** What `a` and `b` are, by the member of `union vl_args` named after a kind. */
interface Args {
  readonly kind: string;
  readonly words: readonly (readonly [name: string, word: 'a' | 'b'])[];
}
interface Layout {
  readonly structs: readonly { readonly name: string; readonly size: number; readonly fields: readonly Field[] }[];
  readonly enums: readonly { readonly name: string; readonly values: readonly (readonly [string, number])[] }[];
  readonly args: readonly Args[];
}

function missing(name: string): BpfError {
  // A type nothing refers to is dropped from the BTF by clang, so this is the usual way to get here.
  return new BpfError({
    what: 'read the wire layout',
    why: `the object's BTF has no ${name}`,
    remedy: 'anchor the type with an unused pointer in the BPF source',
  });
}

function readLayout(btf: Btf): Layout {
  const structs = STRUCTS.map((name) => {
    const type = btf.struct(name);
    if (type === null) throw missing(`struct ${name}`);
    const fields = type.members.map((m) => {
      if (m.name === 'size' || m.name === '' || m.bits !== null) {
        throw new BpfError({
          what: 'read the wire layout',
          why: `struct ${name} has a field the generated layout cannot name`,
          remedy: 'use plain named fields, none of them `size`',
        });
      }
      return { name: m.name, offset: m.offset, size: m.size, length: m.length };
    });
    return { name, size: type.size, fields };
  });
  const enums = ENUMS.map((name) => {
    const values = btf.enumeration(name);
    if (values === null) throw missing(`enum ${name}`);
    return { name, values: Object.entries(values) };
  });
  return { structs, enums, args: readArgs(btf, new Set(enums[0]?.values.map(([name]) => name))) };
}

function readArgs(btf: Btf, kinds: ReadonlySet<string>): Args[] {
  const union = btf.struct('vl_args');
  if (union === null) throw missing('union vl_args');
  return union.members.map(({ name, type }) => {
    const kind = name.toUpperCase();
    const fields = btf.members(type);
    if (!kinds.has(`VL_${kind}`) || fields.length > 2 || fields.some(({ size, bits }) => size !== 4 || bits !== null))
      throw new BpfError({
        what: 'read the wire layout',
        why: `union vl_args has ${name}, which is no kind of enum vl_kind with one or two words`,
        remedy: 'name the member after the kind, in lower case, and give it __u32 members for a and b',
      });
    const words = fields.map((field, i) => [field.name, i === 0 ? 'a' : 'b'] as const);
    return { kind, words: words.filter(([word]) => word !== 'none') };
  });
}

function digest(layout: Layout): string {
  return createHash('sha256').update(JSON.stringify(layout)).digest('hex').slice(0, 16);
}

/** 16 hex digits over every name, offset, size and enumerator of the wire layout. Equal digests: equal layouts. */
export function layoutDigest(btf: Btf): string {
  return digest(readLayout(btf));
}

/** `vl_step_flag` → `VlStepFlag` */
function pascal(name: string): string {
  return name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Whether the last enumerator only counts the others (`VL_NKIND`): one more than the highest, named VL_N and one word. */
function withoutCount(values: Layout['enums'][number]['values']): Layout['enums'][number]['values'] {
  const last = values.at(-1);
  return last !== undefined && /^VL_N[A-Z]+$/.test(last[0]) && last[1] === values.length - 1
    ? values.slice(0, -1)
    : values;
}

/** What all names begin with, up to and including an underscore: `VL_C_`. */
function commonPrefix(names: readonly string[]): string {
  let prefix = names[0] ?? '';
  for (const name of names) while (!name.startsWith(prefix)) prefix = prefix.slice(0, -1);
  return prefix.slice(0, prefix.lastIndexOf('_') + 1);
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Names that stand in one word in all kinds, two at least, that have them. */
function sharedWords(args: readonly Args[]): [name: string, word: 'a' | 'b'][] {
  const places = new Map<string, ('a' | 'b')[]>();
  for (const [name, word] of args.flatMap(({ words }) => words)) places.set(name, [...(places.get(name) ?? []), word]);
  return [...places].flatMap(([name, [first, ...rest]]) =>
    first !== undefined && rest.length > 0 && rest.every((word) => word === first) ? [[name, first]] : [],
  );
}

function constObject(name: string, entries: readonly (readonly [string, number | string])[]): string {
  return `export const ${name} = {\n${entries.map(([key, value]) => `  ${key}: ${value},\n`).join('')}} as const;\n`;
}

/** The text of events.gen.ts. Throws `BpfError` when the object lacks one of the types. */
export function generate(btf: Btf): string {
  const layout = readLayout(btf);
  const parts = [
    '// SPDX-License-Identifier: MIT\n' +
      '// Generated by scripts/gen-schema.ts from the BTF of bpf/events.h, counters.h and args.h. Do not edit: a test compares.\n',
    "/** Digest of everything below; the loader compares it with the object's. */\n" +
      `export const LAYOUT_DIGEST = '${digest(layout)}';\n`,
  ];
  for (const { name, size, fields } of layout.structs) {
    parts.push(
      `/** \`struct ${name}\`: its size and the byte offset of each field. */\n` +
        constObject(pascal(name), [['size', size], ...fields.map((f) => [camel(f.name), f.offset] as const)]),
    );
    const arrays = fields.filter((f) => f.length > 1);
    if (arrays.length > 0) {
      parts.push(
        `/** Elements of the arrays in \`struct ${name}\`, all dimensions multiplied. */\n` +
          constObject(
            `${pascal(name)}Length`,
            arrays.map((f) => [camel(f.name), f.length] as const),
          ),
      );
    }
  }
  parts.push(
    '/** Which of `a` and `b` has what, by kind: `batch[VlArgs.W_VMA.waitNs][i]`, `step[VlArgs.HMF_EXIT.ret]`. */\n' +
      constObject(
        'VlArgs',
        layout.args.map(({ kind, words }) => [
          kind,
          `{ ${words.map(([name, word]) => `${camel(name)}: '${word}'`).join(', ')} }`,
        ]),
      ),
    '/** Those that stand in one place in every kind that has them: for code of several kinds. */\n' +
      constObject(
        'VlSharedArgs',
        sharedWords(layout.args).map(([name, word]) => [camel(name), `'${word}'`]),
      ),
  );
  for (const { name, values } of layout.enums) {
    const kept = withoutCount(values);
    const prefix = commonPrefix(kept.map(([key]) => key));
    const entries = kept.map(([key, value]) => [key.slice(prefix.length), value] as const);
    const dense = entries.every(([, value], i) => value === i);
    parts.push(
      `/** \`enum ${name}\`, without the prefix \`${prefix}\`. */\n${constObject(pascal(name), entries)}`,
      `/** ${dense ? 'Index = value.' : 'In order of definition; the values are not consecutive.'} */\n` +
        `export const ${pascal(name)}Names: readonly string[] = [\n${entries.map(([key]) => `  '${key}',\n`).join('')}];\n`,
    );
  }
  return parts.join('\n');
}
