/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who holds mmap_lock and who waits for it: a record of each hold that others queued behind, and of each wait that queued.
 * The tracepoint of the release fires before the lock is given back, so whoever waited for this hold still waits then,
 * and the record of a hold is in the ring before those of the waits behind it.
 */
#ifndef VMALOCKTOP_HOLDS_BPF_H
#define VMALOCKTOP_HOLDS_BPF_H

const volatile __u64 hold_min_ns = 0;   /* send holds that lasted this long though nobody queued; 0: none */

/* What a task has of mmap_lock now; direct-mapped by pid, and read by the user side as well. */
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
	__u32 holder;    /* tid of whoever held what is asked for */
	__u64 asked;     /* 0: asks for nothing */
	__u64 mm;        /* what it asks for */
	__u32 syscall;
	__u32 flags;     /* enum vl_lock_flag */
	__u32 queue;     /* index into `queues` + 1 while this task counts there */
	__u32 vmas;      /* __vma_start_write calls since mmap_lock was had for write */
	__u64 vma_ns;    /* and time in them */
	struct lock_hold held[2]; /* a fork holds two */
	__u64 file;      /* of what it asks for, as in a hold */
};
_Static_assert(sizeof(struct locker) == 128, "two cache lines");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, NOTES); /* 1 unless observe_mm, set before load */
	__type(key, __u32);
	__type(value, struct locker);
} lockers SEC(".maps");

/* Tasks that queue for an mm's mmap_lock. Shared by collision: then a few holds more are sent. */
#define QUEUES 4096
__u32 queues[QUEUES];

/* With a filter: the mms that followed tasks run on, or that a followed process owns. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384); /* 1 unless filtered, set before load */
	__type(key, __u64);
	__type(value, __u8);
} followed_mms SEC(".maps");

static __always_inline __u64 mm_id_of(void *mm)
{
	__u64 id;

	/* Through memory, so that it is a number to the verifier. */
	bpf_probe_read_kernel(&id, sizeof id, &mm);
	return MM_ID(id);
}

/* The process an mm is of (CONFIG_MEMCG keeps that); 0 not known. */
static __always_inline __u32 owner_of(struct mm_struct *mm)
{
	struct task_struct *owner = NULL;

	if (bpf_core_field_exists(mm->owner))
		owner = BPF_CORE_READ(mm, owner);
	return owner ? tgid_of(owner) : 0;
}

/* Whether what happens to the locks of this mm is of the session, whoever does it. Of ourselves: what we do to others. */
static __always_inline bool lock_wanted(struct task_struct *task, struct mm_struct *mm)
{
	bool own = BPF_CORE_READ(task, mm) == mm;
	__u64 id;
	__u32 tgid;
	__u8 one = 1;

	if (!in_session() || (own && is_ourself(task)))
		return false;
	if (!filtered)
		return true;
	id = mm_id_of(mm);
	if (bpf_map_lookup_elem(&followed_mms, &id))
		return true;
	if (!own || !wanted(task)) {
		if (!filter_tgid || filter_tid || filter_comm)
			return false;
		tgid = owner_of(mm);
		if (!tgid || !has_pid(PIDS_OF(tgids, tgid), tgid))
			return false;
	}
	bpf_map_update_elem(&followed_mms, &id, &one, BPF_ANY);
	return true;
}

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
	return proc_file(SYSCALL_FD((struct pt_regs *)bpf_task_pt_regs(task)));
}

static __always_inline __u32 lock_flags(struct task_struct *task, struct mm_struct *mm, bool write)
{
	__u32 flags = write ? VL_L_WRITE : 0;
	struct mm_struct *own = BPF_CORE_READ(task, mm);

	if (task->flags & PF_KTHREAD)
		flags |= VL_L_KTHREAD;
	else if (!own)
		flags |= VL_L_EXITING;
	else if (own != mm)
		flags |= VL_L_FOREIGN;
	return flags;
}

static __always_inline struct locker *locker_of(struct task_struct *task)
{
	__u32 i = (__u32)task->pid & (NOTES - 1);

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

/* Of a task that has come to the entry of another one: what that one holds and awaits is not known any more. */
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

/* Whether the lock would not be had at once. */
static __always_inline bool is_taken(struct mm_struct *mm, bool write)
{
	struct rw_semaphore___rt *rt = (void *)&mm->mmap_lock;
	__u64 locked;

	if (!bpf_core_field_exists(mm->mmap_lock.count)) {
		__u32 readers = BPF_CORE_READ(rt, rwbase.readers.counter);

		return write ? readers != RT_READER_BIAS : !(readers & RT_READER_BIAS);
	}
	locked = BPF_CORE_READ(mm, mmap_lock.count.counter);
	return write ? locked != 0 : (locked & RWSEM_READ_FAILED) != 0;
}

struct lock_event {
	__u64 mm, since, file;
	__u64 address, vma_start, vma_end; /* of a fork */
	__u32 kind, flags, syscall, b;
	__u64 stack_ids;
};

static __noinline int send_lock(struct lock_event *e, __u64 now)
{
	struct vl_open *o;

	if (!e)
		return 0;
	o = begin_alone(bpf_get_current_task_btf(), e->kind, e->flags);
	if (!o)
		return 0;
	o->step.ts = now;
	o->step.a = e->syscall;
	o->step.b = e->b;
	o->acquired = e->since;
	o->mm = e->mm;
	o->address = e->address;
	o->vma_start = e->vma_start;
	o->vma_end = e->vma_end;
	o->pte = e->file;
	o->vm_flags = e->stack_ids;
	bpf_ringbuf_submit(o, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline __u64 lock_stacks(void *ctx)
{
	long kernel = -1, user = -1;

	if (stack_kernel && ctx)
		kernel = bpf_get_stackid(ctx, &stacks, 0);
	if (stack_user && ctx)
		user = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	return AB(user < 0 ? ~0u : (__u32)user, kernel < 0 ? ~0u : (__u32)kernel);
}

/* mmap_lock is asked for; a trylock as well, which is had or not within the same breath. */
static __always_inline void hold_asked(struct task_struct *task, struct mm_struct *mm, bool write, __u64 now)
{
	struct locker *locker = my_locker(task);
	struct holder holder;

	if (!locker)
		return;
	leave_queue(locker); /* an end that was missed */
	locker->asked = now;
	locker->mm = mm_id_of(mm);
	if (!is_taken(mm, write))
		return;
	find_holder(mm, &holder);
	locker->holder = holder.tid;
	locker->flags = lock_flags(task, mm, write) | (holder.kind == VL_HOLDER_READER   ? VL_L_FOUND_READER
						       : holder.kind == VL_HOLDER_WRITER ? VL_L_FOUND_WRITER
											 : 0);
	locker->syscall = current_syscall(task);
	locker->queue = queue_of(locker->mm) + 1;
	__sync_fetch_and_add(&queues[queue_of(locker->mm)], 1);
	locker->file = locker->flags & VL_L_KTHREAD ? 0 : file_read(task, locker->syscall);
}

static __noinline int send_hold(struct locker *locker, __u64 which, struct mm_struct *mm, __u64 now, __u64 stack_ids)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct lock_event e = { .kind = VL_L_HELD, .stack_ids = stack_ids };
	struct lock_hold *hold;

	if (!locker)
		return 0;
	hold = &locker->held[which & 1];
	e.mm = hold->mm;
	e.since = hold->since;
	e.file = hold->file;
	e.flags = hold->flags;
	e.syscall = hold->syscall;
	e.b = owner_of(mm);
	if (!e.file && !(e.flags & VL_L_KTHREAD))
		e.file = file_read(task, e.syscall);
	if (e.flags & VL_L_FORK) {
		e.address = BPF_CORE_READ(task, signal, nr_threads);
		e.vma_start = BPF_CORE_READ(mm, map_count);
		e.vma_end = locker->vma_ns;
	}
	return send_lock(&e, now);
}

/* mmap_lock is about to be given back; `write`: had for write. */
static __always_inline void hold_over(void *ctx, struct task_struct *task, struct mm_struct *mm, bool write, __u64 now)
{
	struct locker *locker = my_locker(task);
	__u64 id = mm_id_of(mm);
	bool awaited = queues[queue_of(id)] != 0;
	__u32 i;

	if (!locker)
		return;
	i = locker->held[0].mm == id ? 0 : 1;
	if (locker->held[i].mm == id) {
		struct lock_hold *hold = &locker->held[i];

		if (awaited || hold->flags & VL_L_FORK || (hold_min_ns && now - hold->since >= hold_min_ns))
			send_hold(locker, i, mm, now, lock_stacks(ctx));
		hold->mm = 0;
	} else if (awaited) {
		struct lock_event e = { .kind = VL_L_HELD, .mm = id, .flags = lock_flags(task, mm, write),
					.syscall = current_syscall(task), .b = owner_of(mm), .stack_ids = lock_stacks(ctx) };

		if (!(e.flags & VL_L_KTHREAD))
			e.file = file_read(task, e.syscall);
		send_lock(&e, now);
	}
}

static __always_inline void hold_begins(struct locker *locker, struct task_struct *task, struct mm_struct *mm, __u64 id,
					bool write, __u64 now)
{
	__u32 i = locker->held[0].mm && locker->held[0].mm != id;
	struct lock_hold *hold = &locker->held[i & 1];

	hold->mm = id;
	hold->since = now;
	hold->flags = lock_flags(task, mm, write);
	hold->syscall = current_syscall(task);
	hold->file = hold->flags & VL_L_FOREIGN ? file_read(task, hold->syscall) : 0;
	if (!write)
		return;
	locker->vmas = 0;
	locker->vma_ns = 0;
	/* Its second lock, of an mm that is not its own: dup_mmap's child, while the first is the parent's. */
	if (i && hold->flags & VL_L_FOREIGN && locker->held[0].flags & VL_L_WRITE)
		locker->held[0].flags |= VL_L_FORK;
}

/* mmap_lock is had, or was not to be had: a trylock, or a wait that a signal cut short. */
static __always_inline void hold_had(void *ctx, struct task_struct *task, struct mm_struct *mm, bool write, bool success,
				     __u64 now)
{
	struct locker *locker = my_locker(task);
	__u64 id = mm_id_of(mm), asked;
	bool queued;

	if (!locker)
		return;
	asked = locker->mm == id ? locker->asked : 0;
	queued = locker->queue != 0;
	locker->asked = 0;
	leave_queue(locker);
	if (!success)
		return;
	/* mmap_write_downgrade says that the lock is had for read, and asked for none. */
	if (!asked && !write && (locker->held[0].mm == id || locker->held[1].mm == id))
		hold_over(ctx, task, mm, true, now);
	if (asked && queued) {
		struct lock_event e = { .kind = VL_L_WAITED, .mm = id, .since = asked, .flags = locker->flags,
					.syscall = locker->syscall, .b = locker->holder, .file = locker->file,
					.stack_ids = lock_stacks(ctx) };

		send_lock(&e, now);
	}
	hold_begins(locker, task, mm, id, write, now);
}

/* A VMA was write-locked: part of the hold under which that is done. */
static __always_inline void hold_locked_vma(struct task_struct *task, __u64 ns)
{
	struct locker *locker = locker_of(task);

	if (!locker || locker->pid != (__u32)task->pid)
		return;
	locker->vmas++;
	locker->vma_ns += ns;
}

#endif
