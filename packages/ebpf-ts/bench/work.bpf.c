// SPDX-License-Identifier: GPL-2.0-only
/* What every library is measured by: a map, and a ring that a program fills when it is run. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 20000); __type(key, __u32); __type(value, __u64); } numbers SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 1 << 24); } ring SEC(".maps");

struct record { __u64 n; char rest[56]; };

static long one(__u32 i, void *ctx)
{
	struct record record = { .n = i };

	return bpf_ringbuf_output(&ring, &record, sizeof record, BPF_RB_NO_WAKEUP) ? 1 : 0;
}

SEC("raw_tp/sys_enter") int fill(void *ctx)
{
	return bpf_loop(100000, one, 0, 0);
}
