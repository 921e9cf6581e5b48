// SPDX-License-Identifier: GPL-2.0-only
/* Prints every task, one line each, when the iterator is read. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

#define CORE __attribute__((preserve_access_index))
struct seq_file;
struct bpf_iter_meta { struct seq_file *seq; } CORE;
struct task_struct { int pid, tgid; char comm[16]; } CORE;
struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; } CORE;

SEC("iter/task") int on_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%d\t%d\t%s\n", task->tgid, task->pid, task->comm);
	return 0;
}
