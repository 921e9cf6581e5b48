// SPDX-License-Identifier: GPL-2.0-only
/* Local storage of inodes and cgroups, a queue of structs, and probes whose hits are missed. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

struct { __uint(type, BPF_MAP_TYPE_INODE_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int); __type(value, __u64); } of_inode SEC(".maps");
struct { __uint(type, 32 /* BPF_MAP_TYPE_CGRP_STORAGE, of Linux 6.2 */); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int); __type(value, __u64); } of_cgroup SEC(".maps");

struct job { __u32 id; char name[12]; };
struct { __uint(type, BPF_MAP_TYPE_QUEUE); __uint(max_entries, 4); __type(value, struct job); } jobs SEC(".maps");

/* bpf_probe_read_kernel_str() is strncpy_from_kernel_nofault(): hit while a probe runs, it is missed. */
static __always_inline void hit_another(void)
{
	char name[16];

	bpf_probe_read_kernel_str(name, sizeof name, bpf_get_current_task_btf());
}
SEC("kprobe") int hits_kprobe(void *ctx) { hit_another(); return 0; }
SEC("kprobe") int is_missed(void *ctx) { return 0; }
SEC("kprobe.multi") int hits_itself(void *ctx) { hit_another(); return 0; }
