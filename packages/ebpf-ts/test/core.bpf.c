// SPDX-License-Identifier: GPL-2.0-only
/* Relocations of every kind, found and not found in a real kernel; what is not found is guarded, so that it loads. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "GPL";

#define CORE __attribute__((preserve_access_index))
struct list_head { struct list_head *next; } CORE;
struct mm_struct { long mm_lock_seq; unsigned long total_vm; } CORE;
struct mm_struct___int { int mm_lock_seq; } CORE;
struct vm_area_struct___rwsem { void *vm_lock; } CORE;
struct task_struct {
	int pid;
	char comm[16];
	struct mm_struct *mm;
	struct list_head tasks;
	unsigned in_execve : 1;
	int gone_for_good;
} CORE;
struct nowhere { int x; } CORE;
enum bpf_map_type___mine { BPF_MAP_TYPE_HASH___mine = 77, NO_SUCH_TYPE___mine };

int sum;

SEC("raw_tp/sys_enter") int all(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	sum += BPF_CORE_READ(task, pid) + (BPF_CORE_READ(task, tasks.next, next) ? 1 : 0);
	sum += bpf_core_field_exists(task->in_execve) + bpf_core_field_size(task->comm) + bpf_core_type_size(struct task_struct);
	sum += bpf_core_type_exists(struct nowhere) + bpf_core_type_exists(struct mm_struct___int);
	sum += bpf_core_enum_value(enum bpf_map_type___mine, BPF_MAP_TYPE_HASH___mine);
	sum += bpf_core_enum_value_exists(enum bpf_map_type___mine, NO_SUCH_TYPE___mine);
	if (bpf_core_field_exists(task->gone_for_good))
		sum += BPF_CORE_READ(task, gone_for_good);
	if (bpf_core_field_exists(struct vm_area_struct___rwsem, vm_lock))
		sum += BPF_CORE_READ((struct vm_area_struct___rwsem *)mm, vm_lock) != 0;
	if (bpf_core_field_exists(mm->mm_lock_seq))
		sum += BPF_CORE_READ((struct mm_struct___int *)mm, mm_lock_seq);
	return 0;
}
