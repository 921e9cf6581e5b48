// SPDX-License-Identifier: GPL-2.0-only
/* Sends a record for every program that is executed. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "GPL";

struct task_struct { int tgid; } __attribute__((preserve_access_index));
struct linux_binprm { const char *filename; } __attribute__((preserve_access_index));

struct event {
	__u32 pid;
	__u32 old_pid;
	char comm[16];
	char filename[64];
};
struct event *unused_event; /* so that the type is in the BTF */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof *event, 0);

	if (!event)
		return 0;
	event->pid = task->tgid;
	event->old_pid = old_pid;
	bpf_get_current_comm(event->comm, sizeof event->comm);
	bpf_probe_read_kernel_str(event->filename, sizeof event->filename, bprm->filename);
	bpf_ringbuf_submit(event, 0);
	return 0;
}
