// SPDX-License-Identifier: GPL-2.0-only
/* Counts calls of a library's function by the caller's name. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct caller { char comm[16]; };
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct caller);
	__type(value, __u64);
} callers SEC(".maps");

SEC("uprobe") int on_getenv(void *ctx)
{
	struct caller caller = {};
	__u64 one = 1, *count;

	bpf_get_current_comm(caller.comm, sizeof caller.comm);
	count = bpf_map_lookup_elem(&callers, &caller);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&callers, &caller, &one, BPF_NOEXIST);
	return 0;
}
