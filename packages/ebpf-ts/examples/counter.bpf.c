// SPDX-License-Identifier: GPL-2.0-only
/* Counts system calls, and those of each process. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

__u64 calls; /* read by its name */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32); /* tgid */
	__type(value, __u64);
} by_process SEC(".maps");

SEC("tracepoint/raw_syscalls/sys_enter")
int on_call(void *ctx)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u64 one = 1, *count = bpf_map_lookup_elem(&by_process, &tgid);

	__sync_fetch_and_add(&calls, 1);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&by_process, &tgid, &one, BPF_NOEXIST);
	return 0;
}
