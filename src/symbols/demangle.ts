// SPDX-License-Identifier: MIT
/**
 * C++ and Rust names as their source has them. The demanglers are those of the Firefox Profiler (cpp_demangle and
 * rustc-demangle as WebAssembly), read when the first mangled name comes: 20 ms and half a megabyte nobody pays otherwise.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

interface Demangler {
  demangle_any(name: string): string;
  __wbg_set_wasm(exports: object): void;
}

/** As much of the global as this takes: it is typed with the web's, which is not there. */
interface WasmApi {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<{ readonly exports: { __wbindgen_start(): void } }>;
}

/** Itanium C++ ABI and Rust's older scheme; Rust's v0 scheme. No name of C begins so. */
const MANGLED = /^_(Z|R[A-Z])/;
/** Names are those of many stacks: the latest are kept. */
const MAX_NAMES = 8192;

let load: Promise<Demangler | null> | null = null;
let demangler: Demangler | null = null;
let ready = false;
const names: Map<string, string> = new Map();

async function loadDemangler(): Promise<Demangler | null> {
  try {
    // By path: the package's own entry imports WebAssembly as a module, which Node does not do without a flag.
    const { resolve } = createRequire(import.meta.url);
    const path = resolve('gecko-profiler-demangle/index_bg.js');
    const glue = (await import(pathToFileURL(path).href)) as Demangler;
    const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: WasmApi };
    const module = await wasm.compile(readFileSync(resolve('gecko-profiler-demangle/index_bg.wasm')));
    const { exports } = await wasm.instantiate(module, { './index_bg.js': glue });
    glue.__wbg_set_wasm(exports);
    exports.__wbindgen_start();
    return glue;
  } catch {
    // A name that stays mangled is still a name.
    return null;
  }
}

/** Whether a name waits for `prepareDemangler`. */
export function awaitsDemangler(name: string): boolean {
  return !ready && MANGLED.test(name);
}

/** Has the demanglers read; what comes before stays as it is. Never rejects. */
export async function prepareDemangler(): Promise<void> {
  load ??= loadDemangler();
  demangler = await load;
  ready = true;
}

/** `std::vector<int>::push_back(int const&)` for `_ZNSt6vectorIiE9push_backERKi`; what is not mangled, or not well, as it is. */
export function demangle(name: string): string {
  if (demangler === null || !MANGLED.test(name)) return name;
  const known = names.get(name);
  if (known !== undefined) return known;
  const plain = demangled(demangler, name);
  if (names.size >= MAX_NAMES) names.clear();
  names.set(name, plain);
  return plain;
}

function demangled(by: Demangler, name: string): string {
  try {
    const plain = by.demangle_any(name);
    // Of what it does not know it takes an underscore away, which Mach-O puts before every name and ELF does not.
    return plain === '' || name.endsWith(plain) ? name : plain;
  } catch {
    return name;
  }
}
