// SPDX-License-Identifier: MIT
/** The only file that imports koffi. libbpf is loaded on first use, so that a machine without it gets an error, not a crash. */
import koffi from 'koffi';
import { BpfError } from './errors.js';

/** A C pointer: koffi gives addresses as BigInt, NULL as null. */
export type Pointer = bigint | null;
type Arg = Pointer | number | bigint | string | Uint8Array | undefined;
type Call = (...args: Arg[]) => number;
type PointerCall = (...args: Arg[]) => Pointer;
type StringCall = (...args: Arg[]) => string;

export interface Libc {
  readonly mmap: PointerCall;
  readonly munmap: Call;
  readonly syscall: Call;
  readonly prctl: Call;
  readonly vsnprintf: Call;
}

export interface Libbpf {
  readonly versionString: StringCall;
  readonly setPrint: PointerCall;
  readonly objectOpenFile: PointerCall;
  readonly objectLoad: Call;
  readonly objectClose: (obj: Pointer) => void;
  readonly objectBtf: PointerCall;
  readonly btfRawData: PointerCall;
  readonly findMap: PointerCall;
  readonly findProgram: PointerCall;
  readonly nextProgram: PointerCall;
  readonly nextMap: PointerCall;
  readonly programName: StringCall;
  readonly programFd: Call;
  readonly setAutoload: Call;
  readonly setLogBuf: Call;
  readonly attach: PointerCall;
  readonly attachKprobeMulti: PointerCall;
  readonly linkDestroy: Call & { async(link: Pointer, done: () => void): void };
  readonly mapName: StringCall;
  readonly mapFd: Call;
  readonly mapMaxEntries: Call;
  readonly mapValueSize: Call;
  readonly mapSetMaxEntries: Call;
  readonly mapInitialValue: PointerCall;
  readonly mapUpdate: Call;
  readonly mapLookup: Call;
  readonly mapDelete: Call;
  readonly mapNextKey: Call;
  readonly infoByFd: Call;
  readonly enableStats: Call;
}

let libcTable: Libc | undefined;
let libbpfTable: Libbpf | undefined;

/** libc's calls this binding needs. */
export function libc(): Libc {
  if (libcTable) return libcTable;
  const lib = koffi.load('libc.so.6');
  libcTable = {
    mmap: lib.func('void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)'),
    munmap: lib.func('int munmap(void *addr, size_t length)'),
    syscall: lib.func('int64_t syscall(int64_t number, uint64_t a, void *b, uint64_t c)'),
    prctl: lib.func('int prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)'),
    vsnprintf: lib.func('int vsnprintf(void *buffer, size_t size, void *format, void *args)'),
  } as unknown as Libc;
  return libcTable;
}

/** libbpf 1.x. Throws `BpfError` when it is not installed or is older than 1.0. */
export function libbpf(): Libbpf {
  if (libbpfTable) return libbpfTable;
  let lib: ReturnType<typeof koffi.load>;
  try {
    lib = koffi.load('libbpf.so.1');
  } catch (cause) {
    let old = false;
    try {
      koffi.load('libbpf.so.0');
      old = true;
    } catch {
      // neither: the first error stands
    }
    throw new BpfError(
      {
        what: 'load libbpf',
        why: old ? 'only libbpf 0.x is installed; 1.0 or later is needed' : 'libbpf.so.1 is not installed',
        remedy: 'install it: apt-get install libbpf1',
      },
      { cause },
    );
  }
  const f = (signature: string): unknown => lib.func(signature);
  libbpfTable = {
    versionString: f('const char *libbpf_version_string(void)'),
    setPrint: f('void *libbpf_set_print(void *callback)'),
    objectOpenFile: f('void *bpf_object__open_file(const char *path, void *opts)'),
    objectLoad: f('int bpf_object__load(void *obj)'),
    objectClose: f('void bpf_object__close(void *obj)'),
    objectBtf: f('void *bpf_object__btf(void *obj)'),
    btfRawData: f('void *btf__raw_data(void *btf, void *size)'),
    findMap: f('void *bpf_object__find_map_by_name(void *obj, const char *name)'),
    findProgram: f('void *bpf_object__find_program_by_name(void *obj, const char *name)'),
    nextProgram: f('void *bpf_object__next_program(void *obj, void *prog)'),
    nextMap: f('void *bpf_object__next_map(void *obj, void *map)'),
    programName: f('const char *bpf_program__name(void *prog)'),
    programFd: f('int bpf_program__fd(void *prog)'),
    setAutoload: f('int bpf_program__set_autoload(void *prog, bool autoload)'),
    setLogBuf: f('int bpf_program__set_log_buf(void *prog, void *buf, size_t size)'),
    attach: f('void *bpf_program__attach(void *prog)'),
    attachKprobeMulti: f('void *bpf_program__attach_kprobe_multi_opts(void *prog, const char *pattern, void *opts)'),
    linkDestroy: f('int bpf_link__destroy(void *link)'),
    mapName: f('const char *bpf_map__name(void *map)'),
    mapFd: f('int bpf_map__fd(void *map)'),
    mapMaxEntries: f('uint32_t bpf_map__max_entries(void *map)'),
    mapValueSize: f('uint32_t bpf_map__value_size(void *map)'),
    mapSetMaxEntries: f('int bpf_map__set_max_entries(void *map, uint32_t n)'),
    mapInitialValue: f('void *bpf_map__initial_value(void *map, void *size)'),
    mapUpdate: f('int bpf_map_update_elem(int fd, void *key, void *value, uint64_t flags)'),
    mapLookup: f('int bpf_map_lookup_elem(int fd, void *key, void *value)'),
    mapDelete: f('int bpf_map_delete_elem(int fd, void *key)'),
    mapNextKey: f('int bpf_map_get_next_key(int fd, void *key, void *next)'),
    infoByFd: f('int bpf_obj_get_info_by_fd(int fd, void *info, void *length)'),
    enableStats: f('int bpf_enable_stats(int type)'),
  } as unknown as Libbpf;
  capturePrint(libbpfTable);
  return libbpfTable;
}

const LOG_LINES = 400;
const logLines: string[] = [];

/** libbpf's messages go into a bounded list and from there into errors: never to a terminal that is being drawn on. */
function capturePrint(lib: Libbpf): void {
  const Print = koffi.proto('int vl_print_fn(int level, void *format, void *args)');
  const callback = koffi.register((_level: number, format: bigint, args: bigint): number => {
    const out = Buffer.alloc(4096);
    const n = libc().vsnprintf(out, out.length, format, args);
    if (logLines.length >= LOG_LINES) logLines.shift();
    logLines.push(out.toString('utf8', 0, Math.max(0, Math.min(n, out.length - 1))).trimEnd());
    return 0;
  }, koffi.pointer(Print));
  lib.setPrint(callback as unknown as Pointer);
}

/** What libbpf said since the last call, oldest first; at most 400 lines. */
export function takeLog(): string {
  const text = logLines.join('\n');
  logLines.length = 0;
  return text;
}

/** errno of the last call made through this file. */
export function lastErrno(): number {
  return koffi.errno();
}

/** `length` bytes of memory at `pointer`, without a copy. The caller sees to it that the memory outlives the view. */
export function viewOf(pointer: bigint, length: number): ArrayBuffer {
  return koffi.view(pointer, length) as ArrayBuffer;
}

/** Address of a buffer's memory. The buffer must be kept alive while C holds the address. */
export function addressOf(buffer: Uint8Array): bigint {
  return koffi.address(buffer) as bigint;
}
