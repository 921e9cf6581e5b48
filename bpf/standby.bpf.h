/* SPDX-License-Identifier: GPL-2.0-only */
/* The two programs on the return of handle_mm_fault, of which the second stands in for the first. */
#ifndef VMALOCKTOP_STANDBY_BPF_H
#define VMALOCKTOP_STANDBY_BPF_H

#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "fault.bpf.h"
#include "maps.bpf.h"
#include "rodata.bpf.h"
#include "state.bpf.h"

/*
 * fexit does not run a program on a CPU where the same program was preempted, however long that task is off the CPU: on a
 * preemptible kernel under load that misses thousands of faults. So there are two programs. The first marks that it is
 * under way. The second, which the kernel calls before it, takes the fault if a preempted run of the first one, of
 * another task, is still under way on this CPU. Each counts in rows of its own, since they do interrupt each other.
 */
static __always_inline __u32 *standby_took_of(struct task_struct *task)
{
	return &standby_took[(__u32)task->pid & (HINTS - 1)];
}

static __always_inline int on_hmf_first(__u64 *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 cpu = bpf_get_smp_processor_id(), *mine;

	if (!standby || cpu >= FAST_CPUS)
		return on_hmf_exit(ctx, false);
	mine = standby_took_of(task);
	if (*mine == (__u32)task->pid) {
		*mine = 0;
		return 0;
	}
	fast_counters[cpu].busy = 1;
	on_hmf_exit(ctx, false);
	asm volatile("" : "+r"(cpu));
	if (cpu < FAST_CPUS)
		fast_counters[cpu].busy = 0;
	return 0;
}

static __always_inline int on_hmf_standby(__u64 *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 cpu = bpf_get_smp_processor_id(), *mine = standby_took_of(task);

	if (cpu >= FAST_CPUS || !fast_counters[cpu].busy) {
		if (*mine == (__u32)task->pid)
			*mine = 0;
		return 0;
	}
	*mine = task->pid;
	if (in_session())
		count(VL_C_STANDBY);
	return on_hmf_exit(ctx, true);
}

#endif
