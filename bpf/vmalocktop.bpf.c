// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs. Each hook is written once (on_*) and stands here under every way it can be attached:
 *   m_ kprobe.multi entry, r_ kretprobe.multi return, e_ fentry, x_ fexit.
 * The user side loads one of them per hook, by what the kernel is known to do well (docs/attach.md).
 */
#include "compat.bpf.h"
#include "events.h"
#include "maps.bpf.h"
#include "record.bpf.h"
#include "swap.bpf.h"
#include "fault.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Types nothing refers to are left out of the BTF; the schema is generated from there. */
struct vl_step *anchor_step __attribute__((unused));
struct vl_open *anchor_open __attribute__((unused));
struct vl_cpu *anchor_cpu __attribute__((unused));
enum vl_kind anchor_kind __attribute__((unused));
enum vl_step_flag anchor_step_flag __attribute__((unused));
enum vl_counter anchor_counter __attribute__((unused));
enum vl_hist anchor_hist __attribute__((unused));
enum vl_scope anchor_scope __attribute__((unused));
enum vl_found anchor_found __attribute__((unused));
enum vl_holder anchor_holder __attribute__((unused));
enum vl_file anchor_file __attribute__((unused));
enum vl_wait anchor_wait __attribute__((unused));
enum vl_inner anchor_inner __attribute__((unused));

/* fentry and fexit see the arguments as an array of u64, the result behind the last one. */
#define ENTRY(function, body)                                                                      \
	SEC("kprobe.multi") int m_##function(struct pt_regs *regs)                                 \
	{                                                                                          \
		__u64 a1 = REGS_ARG1(regs), a2 = REGS_ARG2(regs), a3 = REGS_ARG3(regs);            \
		(void)a1, (void)a2, (void)a3;                                                      \
		return body;                                                                       \
	}                                                                                          \
	SEC("fentry/" #function) int e_##function(__u64 *args)                                     \
	{                                                                                          \
		ENTRY_ARGS_##function                                                              \
		return body;                                                                       \
	}

#define RETURN(function, nargs, body)                                                              \
	SEC("kretprobe.multi") int r_##function(struct pt_regs *regs)                              \
	{                                                                                          \
		__u64 ret = REGS_RET(regs);                                                        \
		return body;                                                                       \
	}                                                                                          \
	SEC("fexit/" #function) int x_##function(__u64 *args)                                      \
	{                                                                                          \
		__u64 ret = args[nargs];                                                           \
		return body;                                                                       \
	}

#define ENTRY_ARGS_do_swap_page __u64 a1 = args[0];
#define ENTRY_ARGS___folio_lock_or_retry __u64 a2 = args[1];
#define ENTRY_ARGS_io_schedule (void)args;
#define ENTRY_ARGS_handle_userfault __u64 a1 = args[0], a2 = args[1];
#define ENTRY_ARGS_lock_mm_and_find_vma __u64 a2 = args[1], a3 = args[2];

ENTRY(do_swap_page, on_swap_enter((struct vm_fault *)a1))
RETURN(do_swap_page, 1, on_swap_exit((__u32)ret))
RETURN(get_swap_device, 1, on_swap_device((struct swap_info_struct *)ret))
ENTRY(__folio_lock_or_retry, on_flor_enter((struct vm_fault *)a2))
RETURN(__folio_lock_or_retry, 2, on_flor_exit((__u32)ret))
ENTRY(io_schedule, on_io_schedule())
ENTRY(handle_userfault, on_userfault_enter((struct vm_fault *)a1, (__u32)a2))
RETURN(handle_userfault, 2, on_userfault_exit((__u32)ret))
ENTRY(lock_mm_and_find_vma, on_mm_lock_enter(a2, (struct pt_regs *)a3))
RETURN(lock_mm_and_find_vma, 3, on_mm_lock_exit((void *)ret))

/* Called for a first write into a fresh VMA only, and does not sleep: fexit alone will do. */
SEC("fexit/__vmf_anon_prepare") int x___vmf_anon_prepare(__u64 *args)
{
	return on_anon_prepare_exit((struct vm_fault *)args[0], (__u32)args[1]);
}

SEC("fexit/handle_mm_fault") int BPF_PROG(x_handle_mm_fault, struct vm_area_struct *vma, unsigned long address,
					  unsigned int flags, struct pt_regs *regs, vm_fault_t ret)
{
	return on_hmf_exit(vma, address, flags, regs, ret);
}

SEC("fexit/lock_vma_under_rcu") int x_lock_vma_under_rcu(__u64 *args)
{
	return on_vma_lock((struct vm_area_struct *)args[2]);
}

SEC("fentry/up_read") int e_up_read(__u64 *args)
{
	return on_up_read((void *)args[0]);
}

SEC("tp_btf/signal_deliver") int t_signal_deliver(__u64 *args)
{
	return on_cut_short(VL_SIGNAL, (__u32)args[0]);
}

SEC("tp_btf/sched_process_exit") int t_sched_process_exit(__u64 *args)
{
	(void)args;
	return on_cut_short(VL_TASK_EXIT, 0);
}

SEC("tp_btf/sched_process_fork") int BPF_PROG(t_sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	return on_fork(parent, child);
}
