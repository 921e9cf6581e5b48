// SPDX-License-Identifier: MIT
/**
 * What is called of libc and libbpf, as their headers declare it. A pointer is `void *`: its address as a BigInt, null for NULL,
 * or a Uint8Array for memory of ours. What a libbpf lacks is found out when it is first called, not before.
 */
export const LIBC = {
  mmap: 'void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)',
  munmap: 'int munmap(void *addr, size_t length)',
  mprotect: 'int mprotect(void *addr, size_t length, int prot)',
  syscall: 'int64_t syscall(int64_t number, uint64_t a, void *b, uint64_t c, uint64_t d, uint64_t e)',
  prctl: 'int prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)',
  vsnprintf: 'int vsnprintf(void *buffer, size_t size, void *format, void *args)',
  waitpid: 'int waitpid(int pid, void *status, int options)',
  getpagesize: 'int getpagesize(void)',
  fcntl: 'int fcntl(int fd, int command, int argument)',
  sigprocmask: 'int sigprocmask(int how, void *set, void *before)',
  ifNametoindex: 'uint32_t if_nametoindex(const char *name)',
} as const;

export const LIBBPF = {
  versionString: 'const char *libbpf_version_string(void)',
  setPrint: 'void *libbpf_set_print(void *callback)',
  possibleCpus: 'int libbpf_num_possible_cpus(void)',

  objectOpenMem: 'void *bpf_object__open_mem(void *bytes, size_t size, void *opts)',
  objectLoad: 'int bpf_object__load(void *obj)',
  objectClose: 'void bpf_object__close(void *obj)',
  objectBtf: 'void *bpf_object__btf(void *obj)',
  btfRawData: 'void *btf__raw_data(void *btf, void *size)',
  nextProgram: 'void *bpf_object__next_program(void *obj, void *prog)',
  nextMap: 'void *bpf_object__next_map(void *obj, void *map)',

  programName: 'const char *bpf_program__name(void *prog)',
  programSection: 'const char *bpf_program__section_name(void *prog)',
  programFd: 'int bpf_program__fd(void *prog)',
  programType: 'int bpf_program__type(void *prog)',
  programSetType: 'int bpf_program__set_type(void *prog, int type)',
  programSetAttachType: 'int bpf_program__set_expected_attach_type(void *prog, int type)',
  programSetTarget: 'int bpf_program__set_attach_target(void *prog, int fd, const char *name)',
  programAutoload: 'bool bpf_program__autoload(void *prog)',
  setAutoload: 'int bpf_program__set_autoload(void *prog, bool autoload)',

  attach: 'void *bpf_program__attach(void *prog)',
  attachTrace: 'void *bpf_program__attach_trace_opts(void *prog, void *opts)',
  attachKprobe: 'void *bpf_program__attach_kprobe_opts(void *prog, const char *name, void *opts)',
  attachKprobeMulti: 'void *bpf_program__attach_kprobe_multi_opts(void *prog, const char *pattern, void *opts)',
  attachUprobe:
    'void *bpf_program__attach_uprobe_opts(void *prog, int pid, const char *path, size_t offset, void *opts)',
  attachUsdt:
    'void *bpf_program__attach_usdt(void *prog, int pid, const char *path, const char *provider, const char *name, void *opts)',
  attachTracepoint:
    'void *bpf_program__attach_tracepoint_opts(void *prog, const char *category, const char *name, void *opts)',
  attachRawTracepoint: 'void *bpf_program__attach_raw_tracepoint(void *prog, const char *name)',
  attachPerfEvent: 'void *bpf_program__attach_perf_event_opts(void *prog, int fd, void *opts)',
  attachCgroup: 'void *bpf_program__attach_cgroup(void *prog, int fd)',
  attachXdp: 'void *bpf_program__attach_xdp(void *prog, int ifindex)',
  attachIter: 'void *bpf_program__attach_iter(void *prog, void *opts)',
  attachStructOps: 'void *bpf_map__attach_struct_ops(void *map)',
  linkCreate: 'int bpf_link_create(int prog, int target, int type, void *opts)',
  linkDestroy: 'int bpf_link__destroy(void *link)',
  linkFd: 'int bpf_link__fd(void *link)',
  linkPin: 'int bpf_link__pin(void *link, const char *path)',
  iterCreate: 'int bpf_iter_create(int link)',

  mapName: 'const char *bpf_map__name(void *map)',
  mapFd: 'int bpf_map__fd(void *map)',
  mapType: 'int bpf_map__type(void *map)',
  mapKeySize: 'uint32_t bpf_map__key_size(void *map)',
  mapValueSize: 'uint32_t bpf_map__value_size(void *map)',
  mapMaxEntries: 'uint32_t bpf_map__max_entries(void *map)',
  mapFlags: 'uint32_t bpf_map__map_flags(void *map)',
  mapKeyType: 'uint32_t bpf_map__btf_key_type_id(void *map)',
  mapValueType: 'uint32_t bpf_map__btf_value_type_id(void *map)',
  mapSetMaxEntries: 'int bpf_map__set_max_entries(void *map, uint32_t n)',
  mapSetPinPath: 'int bpf_map__set_pin_path(void *map, const char *path)',
  mapInitialValue: 'void *bpf_map__initial_value(void *map, void *size)',

  mapCreate: 'int bpf_map_create(int type, const char *name, uint32_t key, uint32_t value, uint32_t max, void *opts)',
  mapUpdate: 'int bpf_map_update_elem(int fd, void *key, void *value, uint64_t flags)',
  mapLookup: 'int bpf_map_lookup_elem(int fd, void *key, void *value)',
  mapLookupAndDelete: 'int bpf_map_lookup_and_delete_elem(int fd, void *key, void *value)',
  mapDelete: 'int bpf_map_delete_elem(int fd, void *key)',
  mapNextKey: 'int bpf_map_get_next_key(int fd, void *key, void *next)',
  mapFreeze: 'int bpf_map_freeze(int fd)',
  mapUpdateBatch: 'int bpf_map_update_batch(int fd, void *keys, void *values, void *count, void *opts)',
  mapLookupBatch:
    'int bpf_map_lookup_batch(int fd, void *in, void *out, void *keys, void *values, void *count, void *opts)',
  mapLookupAndDeleteBatch:
    'int bpf_map_lookup_and_delete_batch(int fd, void *in, void *out, void *keys, void *values, void *count, void *opts)',
  mapById: 'int bpf_map_get_fd_by_id(uint32_t id)',
  objPin: 'int bpf_obj_pin(int fd, const char *path)',
  objGet: 'int bpf_obj_get(const char *path)',
  infoByFd: 'int bpf_obj_get_info_by_fd(int fd, void *info, void *length)',
  testRun: 'int bpf_prog_test_run_opts(int fd, void *opts)',
  enableStats: 'int bpf_enable_stats(int type)',

  userRingNew: 'void *user_ring_buffer__new(int fd, void *opts)',
  userRingReserve: 'void *user_ring_buffer__reserve(void *ring, uint32_t size)',
  userRingSubmit: 'void user_ring_buffer__submit(void *ring, void *sample)',
  userRingFree: 'void user_ring_buffer__free(void *ring)',
  perfBufferNew: 'void *perf_buffer__new(int fd, size_t pages, void *sample, void *lost, void *context, void *opts)',
  perfBufferConsume: 'int perf_buffer__consume(void *buffer)',
  perfBufferEpollFd: 'int perf_buffer__epoll_fd(void *buffer)',
  perfBufferFree: 'void perf_buffer__free(void *buffer)',

  probeProgramType: 'int libbpf_probe_bpf_prog_type(int type, void *opts)',
  probeMapType: 'int libbpf_probe_bpf_map_type(int type, void *opts)',
  probeHelper: 'int libbpf_probe_bpf_helper(int program, int helper, void *opts)',
} as const;
