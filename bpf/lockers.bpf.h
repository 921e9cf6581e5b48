/* SPDX-License-Identifier: GPL-2.0-only */
/* Which mmap_locks each task holds and waits for: kept for the records of holds and waits, and read by the user side. */
#ifndef VMALOCKTOP_LOCKERS_BPF_H
#define VMALOCKTOP_LOCKERS_BPF_H

#include "arch.bpf.h"
#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "pids.bpf.h"
#include "rodata.bpf.h"
#include "state.bpf.h"
#include "vfs.bpf.h"

/* An mmap_lock that a task holds now; in a table direct-mapped by pid, which the user side reads as well. */
struct lock_hold {
	__u64 mm; /* 0: none */
	__u64 since;
	__u64 file;    /* as in VL_L_HELD */
	__u32 syscall;
	__u32 flags;   /* enum vl_lock_flag */
};
struct locker {
	__u32 pid;
	__u32 tid, tgid; /* as the user sees them */
	__u32 holder;    /* tid of the holder of what is asked for */
	__u64 asked;     /* 0: asks for nothing */
	__u64 mm;        /* what it asks for */
	__u32 syscall;
	__u32 flags;     /* enum vl_lock_flag */
	__u32 queue;     /* index into `queues` + 1 while this task counts there */
	__u32 vmas;      /* __vma_start_write calls since mmap_lock was acquired for write */
	__u64 vma_ns;    /* and time in them */
	struct lock_hold held[2]; /* a fork holds two */
	__u64 file;      /* of what it asks for, as in a hold */
	/* From here on: used by the programs only. */
	__u64 number;    /* what turns a pointer into a number: lock_id */
	__u64 t_vma;     /* entered __vma_start_write; 0: is not in it */
	__u32 seq[2];    /* of holds for write: mm_lock_seq then, and all the while */
	__u16 holder_prio;
	__u8 holder_kind; /* enum vl_holder */
	__u8 claimed;    /* enum mm_event: taken already, by the program on the function that fires the tracepoint */
	__u8 vma_flags;  /* of the VL_W_VMA to come: VL_F_EXACT, VL_F_HOLDER_READER */
	__u8 sent[2];    /* of holds: VL_W_ACQUIRED was sent, so that VL_W_RELEASED is */
	__u8 sleeps;     /* low bits of task_struct.nvcsw at t_vma */
};
_Static_assert(sizeof(struct locker) == 160, "src/live/lockers.ts reads it by place");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TASK_SLOTS); /* 1 unless observe_mm, set before load */
	__type(key, __u32);
	__type(value, struct locker);
} lockers SEC(".maps");

/* How many tasks queue for an mm's mmap_lock. Two mms may share an entry: then a few more holds are sent. */
#define QUEUES 4096
__u32 queues[QUEUES];

/* The file of /proc behind the system call's descriptor: its name's first 7 bytes; 0 for any other file. */
static __noinline __u64 proc_file(__u64 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(fdt, fd), *file = NULL;
	const unsigned char *from;
	__u64 name = 0;

	if (fd >= BPF_CORE_READ(fdt, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof file, &files[fd]);
	if (!file || BPF_CORE_READ(file, f_inode, i_sb, s_magic) != PROC_SUPER_MAGIC)
		return 0;
	from = BPF_CORE_READ(file, f_path.dentry, d_name.name);
	bpf_probe_read_kernel_str(&name, sizeof name, from);
	return name;
}

static __always_inline __u64 file_read(struct task_struct *task, __u32 syscall)
{
	if (!SYSCALL_READS(syscall))
		return 0;
	return proc_file(SYSCALL_ARG1((struct pt_regs *)bpf_task_pt_regs(task)));
}

static __always_inline __u32 lock_flags(struct task_struct *task, struct mm_struct *mm, bool write)
{
	__u32 flags = write ? VL_L_WRITE : 0;
	struct mm_struct *own = task->mm;

	if (task->flags & PF_KTHREAD)
		flags |= VL_L_KTHREAD;
	else if (!own)
		flags |= VL_L_EXITING;
	else if (own != mm)
		flags |= VL_L_FOREIGN;
	return flags;
}

/* The mm as a number; through memory, for the verifier permits no arithmetic on a pointer. */
static __always_inline __u64 lock_id(struct locker *locker, void *mm)
{
	NUMBER(locker->number, mm);
	return MM_ID(*(volatile __u64 *)&locker->number);
}

static __always_inline struct locker *locker_of(struct task_struct *task)
{
	__u32 i = (__u32)task->pid & (TASK_SLOTS - 1);

	return bpf_map_lookup_elem(&lockers, &i);
}

static __always_inline void leave_queue(struct locker *locker)
{
	__u32 i = locker->queue;

	if (!i)
		return;
	locker->queue = 0;
	i = (i - 1) & (QUEUES - 1);
	asm volatile("" : "+r"(i));
	__sync_fetch_and_add(&queues[i & (QUEUES - 1)], -1);
}

static __always_inline __u32 queue_of(__u64 mm)
{
	return (__u32)(mm >> 6 ^ mm >> 18) & (QUEUES - 1);
}

/* A record that nobody can send any more counts as one that was dropped. */
static __always_inline void count_lost_hold(void)
{
	struct vl_cpu *row = this_row();

	if (!row)
		return;
	__sync_fetch_and_add(&row->emitted[VL_L_HELD], 1);
	__sync_fetch_and_add(&row->dropped[VL_L_HELD], 1);
}

/* A task takes over the entry of another one: what that one holds and waits for is no longer known. */
static __always_inline struct locker *my_locker(struct task_struct *task)
{
	struct locker *locker = locker_of(task);

	if (!locker || locker->pid == (__u32)task->pid)
		return locker;
	leave_queue(locker);
	if (locker->asked || locker->held[0].mm || locker->held[1].mm)
		count_lost_hold();
	__builtin_memset(locker, 0, sizeof *locker);
	locker->pid = task->pid;
	locker->tid = my_tid(task);
	locker->tgid = my_tgid(task);
	return locker;
}

#endif
