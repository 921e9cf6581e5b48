// SPDX-License-Identifier: GPL-2.0-only
/* Quick to load and to attach, for doing it ten thousand times; and one program the verifier refuses. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); } one SEC(".maps");

SEC("raw_tp/sys_enter") int small(void *ctx)
{
	return 0;
}
SEC("?raw_tp/sys_enter") int refused(void *ctx)
{
	__u32 key = bpf_get_prandom_u32(); /* a constant one is known to be there, in newer kernels */
	__u64 *value = bpf_map_lookup_elem(&one, &key);

	return *value; /* may be NULL */
}
SEC("?raw_tp/sys_enter") int long_way(void *ctx)
{
	__u32 key = 0;
	__u64 *value, sum = 0;

#pragma unroll
	for (int i = 0; i < 100; i++) {
		value = bpf_map_lookup_elem(&one, &key);
		if (value)
			sum += *value;
	}
	return *(__u64 *)(long)sum;
}
