// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs. Each hook is written once (on_*) and stands here under every way it can be attached (hooks.bpf.h).
 * The user side loads one of them per hook, by what the kernel is known to do well (docs/attach.md).
 */
#include "arch.bpf.h"
#include "args.h"
#include "compat.bpf.h"
#include "counted.bpf.h"
#include "counters.h"
#include "events.h"
#include "fault.bpf.h"
#include "fault_end.bpf.h"
#include "file.bpf.h"
#include "fallback.bpf.h"
#include "hooks.bpf.h"
#include "lock_scope.bpf.h"
#include "mmap.bpf.h"
#include "mmap_claim.bpf.h"
#include "pids.bpf.h"
#include "queue.bpf.h"
#include "release.bpf.h"
#include "rodata.bpf.h"
#include "standby.bpf.h"
#include "swap.bpf.h"
#include "userfault.bpf.h"
#include "vma_name.bpf.h"
#include "wait.bpf.h"
#include "writers.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Types nothing refers to are left out of the BTF; the schema is generated from there. */
struct vl_step *anchor_step __attribute__((unused));
struct vl_open *anchor_open __attribute__((unused));
struct vl_writer *anchor_writer __attribute__((unused));
struct vl_vma *anchor_vma __attribute__((unused));
struct vl_cpu *anchor_cpu __attribute__((unused));
struct vl_counted *anchor_counted __attribute__((unused));
union vl_args *anchor_args __attribute__((unused));
enum vl_kind anchor_kind __attribute__((unused));
enum vl_step_flag anchor_step_flag __attribute__((unused));
enum vl_lock_flag anchor_lock_flag __attribute__((unused));
enum vl_counter anchor_counter __attribute__((unused));
enum vl_hist anchor_hist __attribute__((unused));
enum vl_counted_limit anchor_counted_limit __attribute__((unused));
enum vl_scope anchor_scope __attribute__((unused));
enum vl_found anchor_found __attribute__((unused));
enum vl_holder anchor_holder __attribute__((unused));
enum vl_file anchor_file __attribute__((unused));
enum vl_note anchor_note __attribute__((unused));
enum vl_mapping anchor_mapping __attribute__((unused));
enum vl_wait anchor_wait __attribute__((unused));
enum vl_inner anchor_inner __attribute__((unused));

#define ENTRY_ARGS_do_swap_page __u64 a1 = ctx[0];
#define ENTRY_ARGS___folio_lock_or_retry __u64 a1 = ctx[0], a2 = ctx[1];
#define ENTRY_ARGS_io_schedule
#define ENTRY_ARGS_handle_userfault __u64 a1 = ctx[0], a2 = ctx[1];
#define ENTRY_ARGS_lock_mm_and_find_vma __u64 a2 = ctx[1], a3 = ctx[2];
#define ENTRY_ARGS_migration_entry_wait
#define ENTRY_ARGS_swapin_sync
#define ENTRY_ARGS_swap_read_folio_bdev_sync
#define ENTRY_ARGS_swapin_readahead
#define ENTRY_ARGS_filemap_read_folio
#define ENTRY_ARGS_page_cache_async_ra

ENTRY(do_swap_page, on_swap_begin(TYPED(vm_fault, a1)))
RETURN(do_swap_page, 1, on_swap_end((__u32)ret))
RETURN(get_swap_device, 1, on_swap_device_seen(TYPED(swap_info_struct, ret)))
ENTRY(__folio_lock_or_retry, on_flor_enter(ctx, (void *)a1, TYPED(vm_fault, a2)))
RETURN(__folio_lock_or_retry, 2, on_flor_exit((__u32)ret))
ENTRY(io_schedule, on_io_schedule(ctx))
ENTRY(handle_userfault, on_userfault_enter(ctx, TYPED(vm_fault, a1), (__u32)a2))
RETURN(handle_userfault, 2, on_userfault_exit((__u32)ret))
ENTRY(lock_mm_and_find_vma, on_mm_lock_enter(a2, (struct pt_regs *)a3))
RETURN(lock_mm_and_find_vma, 3, on_mm_lock_exit((void *)ret))

#define ENTRY_ARGS_wake_up_new_task __u64 a1 = ctx[0];
ENTRY(wake_up_new_task, on_new_task((void *)a1))
#define ENTRY_ARGS___mmdrop __u64 a1 = ctx[0];
ENTRY(__mmdrop, on_mm_freed((void *)a1))

#define ENTRY_ARGS_rwsem_down_read_slowpath __u64 a1 = ctx[0];
#define ENTRY_ARGS_rwsem_down_write_slowpath __u64 a1 = ctx[0];
ENTRY(rwsem_down_read_slowpath, on_queue((void *)a1, false))
ENTRY(rwsem_down_write_slowpath, on_queue((void *)a1, true))

ENTRY(migration_entry_wait, on_wait(VL_WAIT_ENTER, VL_WAIT_MIGRATION))
RETURN(migration_entry_wait, 3, on_wait(VL_WAIT_EXIT, VL_WAIT_MIGRATION))
ENTRY(swapin_sync, on_wait(VL_WAIT_ENTER, VL_WAIT_SYNC_READ))
RETURN(swapin_sync, 6, on_wait(VL_WAIT_EXIT, VL_WAIT_SYNC_READ))
ENTRY(swap_read_folio_bdev_sync, on_wait(VL_WAIT_ENTER, VL_WAIT_SYNC_READ))
RETURN(swap_read_folio_bdev_sync, 2, on_wait(VL_WAIT_EXIT, VL_WAIT_SYNC_READ))
ENTRY(swapin_readahead, on_swapin(true))
RETURN(swapin_readahead, 3, on_swapin(false))
ENTRY(filemap_read_folio, on_file_evidence(VL_FILE_READ))
ENTRY(page_cache_async_ra, on_file_evidence(VL_FILE_READAHEAD))

/* Every first touch of a page calls it for an anon_vma; it does not sleep. */
LEAVE(__vmf_anon_prepare, on_anon_prepare_exit((struct vm_fault *)ctx[0], (__u32)ctx[1]))
LEAVE(hugetlb_fault, on_inner_exit(VL_INNER_HUGETLB, (__u32)ctx[4]))
LEAVE(do_huge_pmd_device_private, on_inner_exit(VL_INNER_DEVICE_PRIVATE, (__u32)ctx[1]))

/* File faults are half of all on some machines, and few of them wait: fentry and fexit, and no task storage. */
AROUND(filemap_fault, on_file_enter((struct vm_fault *)ctx[0], VL_FILE_FILEMAP), on_file_exit(VL_FILE_FILEMAP, (__u32)ctx[1]))
AROUND(shmem_fault, on_file_enter((struct vm_fault *)ctx[0], VL_FILE_SHMEM), on_file_exit(VL_FILE_SHMEM, (__u32)ctx[1]))
AROUND(__vma_start_write, on_vma_write_enter((struct vm_area_struct *)ctx[0]), on_vma_write_exit((struct vm_area_struct *)ctx[0]))

SEC("fexit/handle_mm_fault") int fexit_handle_mm_fault(__u64 *ctx)
{
	return on_hmf_first(ctx);
}

SEC("fexit/handle_mm_fault") int fexit_handle_mm_fault_standby(__u64 *ctx)
{
	return on_hmf_standby(ctx);
}

SEC("fexit/lock_vma_under_rcu") int fexit_lock_vma_under_rcu(__u64 *ctx)
{
	return on_vma_lock((struct vm_area_struct *)ctx[2]);
}

SEC("fentry/bad_area_access_error") int fentry_bad_area_access_error(__u64 *ctx)
{
	return on_access_error(ctx[2], ctx[3], (struct vm_area_struct *)ctx[4]);
}

SEC("fentry/copy_page_range") int fentry_copy_page_range(__u64 *ctx)
{
	return on_vma_copied((struct vm_area_struct *)ctx[1]);
}

SEC("fentry/up_read") int fentry_up_read(__u64 *ctx)
{
	return on_up_read((void *)ctx[0]);
}

SEC("fentry/uffd_lock_vma") int fentry_uffd_lock_vma(__u64 *ctx)
{
	return on_other_user(VL_C_USER_UFFD, (struct mm_struct *)ctx[0]);
}

SEC("fentry/lock_next_vma") int fentry_lock_next_vma(__u64 *ctx)
{
	return on_other_user(VL_C_USER_PROCFS, (struct mm_struct *)ctx[0]);
}

SEC("fentry/madvise_vma_behavior") int fentry_madvise_vma_behavior(__u64 *ctx)
{
	struct madvise_behavior *madvise = (void *)ctx[0];

	if (BPF_CORE_READ(madvise, lock_mode) != bpf_core_enum_value(enum madvise_lock_mode, MADVISE_VMA_READ_LOCK))
		return 0;
	return on_other_user(VL_C_USER_MADVISE, BPF_CORE_READ(madvise, mm));
}

SEC("tp_btf/mmap_lock_start_locking") int tp_mmap_lock_start_locking(__u64 *ctx)
{
	return mm_claimed(MM_START) ? 0 : on_mm_start((struct mm_struct *)ctx[0], second_arg(ctx));
}

SEC("tp_btf/mmap_lock_acquire_returned") int tp_mmap_lock_acquire_returned(__u64 *ctx)
{
	bool write = second_arg(ctx), success = third_arg(ctx);

	return mm_claimed(MM_ACQUIRED) ? 0 : on_mm_acquired(ctx, 0, (struct mm_struct *)ctx[0], write, success);
}

SEC("tp_btf/mmap_lock_released") int tp_mmap_lock_released(__u64 *ctx)
{
	return mm_claimed(MM_GIVEN_BACK) ? 0 : on_mm_released(ctx, (struct mm_struct *)ctx[0], second_arg(ctx));
}

/* In 7.x also, and first, where the kernel calls the function that fires the tracepoint (mm_claim). */
SEC("kprobe.multi") int kpm_mmap_lock_start_locking(struct pt_regs *ctx)
{
	on_mm_start((struct mm_struct *)REGS_ARG1(ctx), REGS_ARG2(ctx) & 0xff);
	return mm_claim(MM_START);
}

SEC("kprobe.multi") int kpm_mmap_lock_acquire_returned(struct pt_regs *ctx)
{
	on_mm_acquired(ctx, REGS_CALLER(ctx), (struct mm_struct *)REGS_ARG1(ctx), REGS_ARG2(ctx) & 0xff, REGS_ARG3(ctx) & 0xff);
	return mm_claim(MM_ACQUIRED);
}

SEC("kprobe.multi") int kpm_mmap_lock_released(struct pt_regs *ctx)
{
	on_mm_released(ctx, (struct mm_struct *)REGS_ARG1(ctx), REGS_ARG2(ctx) & 0xff);
	return mm_claim(MM_GIVEN_BACK);
}

SEC("tp_btf/mm_vmscan_direct_reclaim_begin") int tp_mm_vmscan_direct_reclaim_begin(__u64 *ctx)
{
	return on_reclaim(ctx, true, VL_WAIT_RECLAIM);
}

SEC("tp_btf/mm_vmscan_direct_reclaim_end") int tp_mm_vmscan_direct_reclaim_end(__u64 *ctx)
{
	return on_reclaim(ctx, false, VL_WAIT_RECLAIM);
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_begin") int tp_mm_vmscan_memcg_reclaim_begin(__u64 *ctx)
{
	return on_reclaim(ctx, true, VL_WAIT_MEMCG);
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_end") int tp_mm_vmscan_memcg_reclaim_end(__u64 *ctx)
{
	return on_reclaim(ctx, false, VL_WAIT_MEMCG);
}

SEC("tp_btf/signal_deliver") int tp_signal_deliver(__u64 *ctx)
{
	return on_cut_short(VL_SIGNAL, (__u32)ctx[0]);
}

SEC("tp_btf/sched_process_exit") int tp_sched_process_exit(void *ctx)
{
	(void)ctx;
	return on_cut_short(VL_TASK_EXIT, 0);
}

/* The second witness of wake_up_new_task: a child that neither shows would hide a whole process of a command. */
SEC("tp_btf/sched_process_fork") int tp_sched_process_fork(__u64 *ctx)
{
	return on_new_task((void *)ctx[1]);
}

/* Run by the user side, attached to nothing. */
SEC("raw_tp") int learn_own_pids(void *ctx)
{
	(void)ctx;
	return on_self();
}
