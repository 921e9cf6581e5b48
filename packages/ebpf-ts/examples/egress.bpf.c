// SPDX-License-Identifier: GPL-2.0-only
/* Counts what the processes of a cgroup send. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

__u64 packets, bytes;

SEC("cgroup_skb/egress") int on_packet(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&packets, 1);
	__sync_fetch_and_add(&bytes, skb->len);
	return 1; /* let it pass */
}
