// SPDX-License-Identifier: GPL-2.0-only
/* Durations of vfs_read in powers of two, a histogram per CPU. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32); /* tid */
	__type(value, __u64);
} starts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32); /* log2 of ns */
	__type(value, __u64);
} slots SEC(".maps");

SEC("fentry/vfs_read") int BPF_PROG(on_enter)
{
	__u32 tid = bpf_get_current_pid_tgid();
	__u64 now = bpf_ktime_get_ns();

	bpf_map_update_elem(&starts, &tid, &now, BPF_ANY);
	return 0;
}

SEC("fexit/vfs_read") int BPF_PROG(on_exit)
{
	__u32 tid = bpf_get_current_pid_tgid(), slot = 0;
	__u64 *start = bpf_map_lookup_elem(&starts, &tid), *count;

	if (!start)
		return 0;
	for (__u64 ns = bpf_ktime_get_ns() - *start; ns > 1 && slot < 63; ns >>= 1)
		slot++;
	bpf_map_delete_elem(&starts, &tid);
	count = bpf_map_lookup_elem(&slots, &slot);
	if (count)
		(*count)++;
	return 0;
}
