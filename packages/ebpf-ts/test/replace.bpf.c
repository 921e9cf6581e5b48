// SPDX-License-Identifier: GPL-2.0-only
/* A program that asks a function of its own, one that takes that function's place, and one that sees it called; an iterator over cgroups; an LSM hook. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

#define CORE __attribute__((preserve_access_index))
struct seq_file;
struct bpf_iter_meta { struct seq_file *seq; } CORE;
struct kernfs_node { __u64 id; } CORE;
struct cgroup { struct kernfs_node *kn; int level; } CORE;
struct bpf_iter__cgroup { struct bpf_iter_meta *meta; struct cgroup *cgroup; } CORE;

__u64 seen;
__u64 opened;

__noinline int answer(struct xdp_md *ctx)
{
	volatile int one = 1;

	return ctx ? one : 0;
}
SEC("?xdp") int asks(struct xdp_md *ctx) { return answer(ctx); }
SEC("?freplace") int answers(struct xdp_md *ctx) { return 2; }
SEC("?fentry") int sees(void *ctx) { __sync_fetch_and_add(&seen, 1); return 0; }
SEC("?lsm/file_open") int opens(void *ctx) { __sync_fetch_and_add(&opened, 1); return 0; }
SEC("?iter/cgroup") int groups(struct bpf_iter__cgroup *ctx)
{
	struct cgroup *cgroup = ctx->cgroup;

	if (cgroup)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%llu\n", cgroup->kn->id);
	return 0;
}
