// SPDX-License-Identifier: MIT
/** What an object holds, as TypeScript types: written by `ebpf-ts generate`, given to `BpfObject.open`. */
export interface Shape {
  /** Names of programs. */
  readonly programs: string;
  readonly maps: Readonly<Record<string, { readonly key: unknown; readonly value: unknown }>>;
  /** Global variables of any section. */
  readonly globals: Readonly<Record<string, unknown>>;
  /** Structs by their C name, for `codec`. */
  readonly types: Readonly<Record<string, unknown>>;
}

/** Of an object no types were generated for: its values are what `codec.ts` says, and the compiler does not check them. */
export interface AnyShape extends Shape {
  // biome-ignore lint/suspicious/noExplicitAny: nothing is known of the values
  readonly maps: Readonly<Record<string, { readonly key: any; readonly value: any }>>;
  // biome-ignore lint/suspicious/noExplicitAny: nothing is known of the values
  readonly globals: Readonly<Record<string, any>>;
  // biome-ignore lint/suspicious/noExplicitAny: nothing is known of the values
  readonly types: Readonly<Record<string, any>>;
}
