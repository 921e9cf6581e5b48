/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The per-task record of a fault that is worth looking at, and the one way out to the ring.
 * Task storage holds a short stack of records: a kernel-mode fault can interrupt a user-mode fault of the same task.
 */
#ifndef VMALOCKTOP_RECORD_BPF_H
#define VMALOCKTOP_RECORD_BPF_H

#define MAX_DEPTH 3
#define SLOTS 4 /* a power of two above MAX_DEPTH: the mask is what the verifier sees */
#define PAGE_OF(address) ((address) & ~0xfffull)
#define MM_ID(mm) ((__u64)(mm) & ((1ull << 52) - 1)) /* exact in a double */
#define F(name) bpf_core_enum_value(enum fault_flag, FAULT_FLAG_##name)
#define R(name) bpf_core_enum_value(enum vm_fault_reason, VM_FAULT_##name)
#define R_ERROR (R(OOM) | R(SIGBUS) | R(SIGSEGV) | R(HWPOISON) | R(HWPOISON_LARGE) | R(FALLBACK))

/* What the task is doing as far as this record knows. */
enum rec_state {
	IN_SWAP = 1,      /* between do_swap_page's entry and its return */
	DEVICE_SEEN = 2,  /* the first get_swap_device of this do_swap_page; read-ahead calls it again */
	IN_FLOR = 4,
	SLEPT = 8,        /* io_schedule seen in this __folio_lock_or_retry */
	IN_UFFD = 16,
	RETRIED = 32,     /* the last attempt returned RETRY: the fallback or a signal comes next */
	IN_MM_LOCK = 64,
	MM_LOCKED = 128,  /* lock_mm_and_find_vma succeeded: the next attempt is under mmap_lock */
	AWAIT_RELEASE = 256, /* finished but for the release of the VMA lock, which is hooked */
	AWAIT_MM = 512,   /* finished but for the release of mmap_lock */
	AWAIT_ANY = AWAIT_RELEASE | AWAIT_MM,
	IN_FILE = 1024,   /* between filemap_fault's or shmem_fault's entry and its return */
};

/* What kept with the record from the attempt under the VMA lock to its fallback. */
enum rec_have {
	HAVE_VMA = 1,       /* vma, seq and mm_seq were read under the VMA lock */
	HAVE_INNER = 2,     /* the function that returned RETRY was seen */
	HAVE_GROWN = 4,     /* lock_mm_and_find_vma took mmap_lock for write */
	HAVE_RETRIED = 8,   /* the attempt under the VMA lock returned RETRY: a verdict is due */
	HAVE_STACK = 16,    /* sent for this attempt */
	HAVE_BOUND = 32,    /* with HAVE_VMA: seq was not read; it was less than mm_seq, for the VMA was not write-locked */
};

struct rec {
	__u64 acquired, mm, address, vma_start, vma_end, vm_flags, pte, cgroup; /* in the order of struct vl_open */
	__u64 vmf;      /* the attempt's struct vm_fault: an address on this task's stack */
	__u64 vm_lock;  /* the VMA lock's rw_semaphore while held and observed, else 0 */
	__u64 t[VL_NHIST]; /* when what that histogram measures began */
	__u64 t_mm_had, t_swapin;
	__u64 vma;      /* the attempt's vm_area_struct: compared, never followed once its lock is gone */
	__u32 seq, mm_seq; /* vm_lock_seq and mm_lock_seq while the VMA lock was held */
	__u32 state;
	__u32 fault;
	__u16 fault_cpu;
	__u16 step;
	__u8 user;   /* the fault came from user mode */
	__u8 quiet;  /* outside the scope: kept for the counters, not sent */
	__u8 depth;
	__u8 have;   /* enum rec_have */
	__u8 file;   /* enum vl_file */
	__u8 pad;
	__u16 window; /* index into windows + 1 while this record counts there */
};

struct task_state {
	struct rec rec[SLOTS];
	__u32 n;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

static __always_inline struct vl_cpu *row_of(__u32 cpu)
{
	return bpf_map_lookup_elem(&cpus, &cpu);
}

static __always_inline struct vl_cpu *this_row(void)
{
	return row_of(bpf_get_smp_processor_id());
}

/* Atomic, since on a preemptible kernel another program may run on this CPU between load and store. */
static __always_inline void count(enum vl_counter counter)
{
	struct vl_cpu *row = this_row();

	if (row)
		__sync_fetch_and_add(&row->counter[counter], 1);
}

static __always_inline __u32 log2_bucket(__u64 v)
{
	__u32 r = 0;

	if (v >> 32) { v >>= 32; r += 32; }
	if (v >> 16) { v >>= 16; r += 16; }
	if (v >> 8) { v >>= 8; r += 8; }
	if (v >> 4) { v >>= 4; r += 4; }
	if (v >> 2) { v >>= 2; r += 2; }
	return r + (v >> 1 & 1);
}

static __always_inline void measure(enum vl_hist hist, __u64 ns)
{
	struct vl_cpu *row = this_row();
	__u32 bucket = log2_bucket(ns) & 63;

	if (row)
		__sync_fetch_and_add(&row->hist[hist][bucket], 1);
}

static __always_inline bool wanted(struct task_struct *task)
{
	__u32 id;

	if ((__u32)task->tgid == own_tgid)
		return false;
	if (!filtered)
		return true;
	if (filter_tgid) {
		id = task->tgid;
		if (!bpf_map_lookup_elem(&tgids, &id))
			return false;
	}
	if (filter_tid) {
		id = task->pid;
		if (!bpf_map_lookup_elem(&tids, &id))
			return false;
	}
	if (filter_comm) {
		__u64 comm[2] = {};

		bpf_probe_read_kernel(comm, sizeof comm, &task->comm);
		if (comm[0] != comm_lo || comm[1] != comm_hi)
			return false;
	}
	return true;
}

static __always_inline __u32 *mark_of(struct task_struct *task)
{
	return &marks[(__u32)task->pid & (MARKS - 1)];
}

/* The compiler may not form the address before the index is masked: it would on the path that returns NULL too. */
static __always_inline struct rec *slot(struct task_state *state, __u64 i)
{
	asm volatile("" : "+r"(i));
	return &state->rec[i & (SLOTS - 1)];
}

static __always_inline struct rec *top_of(struct task_state *state)
{
	__u32 n = state->n;

	if (n == 0 || n > MAX_DEPTH)
		return NULL;
	return slot(state, n - 1);
}

/* The innermost open record of this task, or NULL; one load where the task has none. */
static __always_inline struct rec *current_rec(struct task_struct *task, struct task_state **state_out)
{
	struct task_state *state;

	if (!*mark_of(task))
		return NULL;
	state = bpf_task_storage_get(&tasks, task, 0, 0);
	if (!state)
		return NULL;
	*state_out = state;
	return top_of(state);
}

static __always_inline void fill_step(struct vl_step *s, struct task_struct *task, struct rec *rec, __u32 kind,
				      __u32 flags, __u64 ts, __u32 a, __u32 b)
{
	s->kind = kind;
	s->flags = flags;
	s->cpu = bpf_get_smp_processor_id();
	s->tid = task->pid;
	s->fault = rec->fault;
	s->fault_cpu = rec->fault_cpu;
	s->step = rec->step;
	s->ts = ts;
	s->a = a;
	s->b = b;
}

/* Sends one step. The first one of a record takes who and where along. Counted before it is tried, so that
 * emitted = decoded + dropped can be checked from outside. */
static __noinline int send(struct rec *rec, __u32 kind, __u32 flags, __u64 ts, __u64 ab)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vl_cpu *row = this_row();
	__u32 k = kind & 63;

	if (!rec || !row || rec->quiet)
		return 0;
	__sync_fetch_and_add(&row->emitted[k], 1);
	if (rec->step == 0) {
		struct vl_open *o = bpf_ringbuf_reserve(&events, sizeof *o, 0);

		if (!o) {
			__sync_fetch_and_add(&row->dropped[k], 1);
		} else {
			fill_step(&o->step, task, rec, kind, flags | VL_F_INFO, ts, ab >> 32, (__u32)ab);
			__builtin_memcpy(&o->acquired, &rec->acquired, 8 * sizeof(__u64));
			o->tgid = task->tgid;
			o->depth = rec->depth;
			__builtin_memset(o->pad, 0, sizeof o->pad);
			bpf_probe_read_kernel(o->comm, sizeof o->comm, &task->comm);
			bpf_ringbuf_submit(o, BPF_RB_NO_WAKEUP);
		}
	} else {
		struct vl_step *s = bpf_ringbuf_reserve(&events, sizeof *s, 0);

		if (!s) {
			__sync_fetch_and_add(&row->dropped[k], 1);
		} else {
			fill_step(s, task, rec, kind, flags, ts, ab >> 32, (__u32)ab);
			bpf_ringbuf_submit(s, BPF_RB_NO_WAKEUP);
		}
	}
	rec->step++;
	return 0;
}

/* A lifecycle of one step, sent without a record: an ordinary fault in scope all. `vma` is locked or NULL; `slot` is
 * the row's place, which is what its running number counts in. */
static __always_inline void send_whole(struct task_struct *task, struct vl_cpu *row, __u32 slot, __u32 cpu,
				       struct vm_area_struct *vma, __u64 acquired, __u64 page, __u32 step_flags, __u64 ts, __u32 flags, __u32 ret)
{
	struct vl_open *o;
	__u64 *word;
	__u32 fault = __sync_fetch_and_add(&row->next_fault, 1);

	/* No other program writes these of this row, and this one cannot interrupt itself on a CPU. */
	row->counter[VL_C_WHOLE]++;
	row->emitted[VL_HMF_EXIT]++;
	o = bpf_ringbuf_reserve(&events, sizeof *o, 0);
	if (!o) {
		row->dropped[VL_HMF_EXIT]++;
		return;
	}
	/* Whole words at a time: this is on the path of every fault of scope all. Little-endian, as the ring's reader. */
	word = (__u64 *)&o->step;
	word[0] = VL_HMF_EXIT | (step_flags | VL_F_INFO) << 8 | cpu << 16 | (__u64)(__u32)task->pid << 32;
	word[1] = fault | (__u64)slot << 32;
	word[2] = ts;
	word[3] = flags | (__u64)ret << 32;
	o->acquired = acquired;
	/* Through memory, so that it is a number to the verifier: arithmetic on a pointer is refused. */
	*(volatile __u64 *)&o->mm = (__u64)task->mm;
	o->mm = MM_ID(*(volatile __u64 *)&o->mm);
	o->address = page;
	o->vma_start = vma ? vma->vm_start : 0;
	o->vma_end = vma ? vma->vm_end : 0;
	o->vm_flags = vma ? vma->vm_flags : 0;
	o->pte = 0;
	o->cgroup = bpf_get_current_cgroup_id();
	o->tgid = task->tgid;
	*(__u32 *)&o->depth = 0;
	bpf_probe_read_kernel(o->comm, sizeof o->comm, &task->comm);
	bpf_ringbuf_submit(o, BPF_RB_NO_WAKEUP);
}

#define AB(a, b) ((__u64)(__u32)(a) << 32 | (__u32)(b))

static __always_inline __u32 window_of(__u64 mm)
{
	return (__u32)(mm >> 6 ^ mm >> 18) & (WINDOWS - 1);
}

/* From the release of the VMA lock to the fallback: what writers of this mm do meanwhile is sent. */
static __always_inline void open_window(struct rec *rec)
{
	__u32 i = window_of(rec->mm);

	if (rec->window || !observe_mm)
		return;
	rec->window = i + 1;
	__sync_fetch_and_add(&windows[i], 1);
}

static __always_inline void close_window(struct rec *rec)
{
	__u32 i = rec->window;

	if (!i)
		return;
	rec->window = 0;
	i = (i - 1) & (WINDOWS - 1);
	asm volatile("" : "+r"(i));
	__sync_fetch_and_add(&windows[i & (WINDOWS - 1)], -1);
}

/* Closes the innermost record. */
static __always_inline void close_top(struct task_struct *task, struct task_state *state)
{
	struct rec *rec = top_of(state);

	if (rec)
		close_window(rec);
	if (!state->n)
		return;
	state->n--;
	__sync_fetch_and_add(mark_of(task), -1);
}

/* Gives up every open record of the task: a user-mode fault interrupts nothing, so what is still open is stale
 * (its end was missed, or a signal cut it short after RETRY). */
static __noinline int abandon_all(__u32 by)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = bpf_task_storage_get(&tasks, task, 0, 0);
	__u64 ts = bpf_ktime_get_ns();

	if (!state)
		return 0;
	for (int i = 0; i < MAX_DEPTH && state->n; i++) {
		struct rec *rec = top_of(state);

		if (rec)
			send(rec, VL_ABANDONED, 0, ts, AB(by, 0));
		close_top(task, state);
	}
	return 0;
}

/* Opens a record on top of the task's stack. The caller fills mm, address and what it knows of the VMA. */
static __always_inline struct rec *open_rec(struct task_struct *task, struct task_state *state, bool user, bool quiet)
{
	struct vl_cpu *row = this_row();
	struct rec *rec;
	__u32 i = state->n;

	if (!row)
		return NULL;
	if (i >= MAX_DEPTH) {
		__sync_fetch_and_add(&row->counter[VL_C_NESTED_LOST], 1);
		return NULL;
	}
	rec = slot(state, i);
	__builtin_memset(rec, 0, sizeof *rec);
	rec->fault_cpu = bpf_get_smp_processor_id();
	rec->fault = __sync_fetch_and_add(&row->next_fault, 1);
	rec->cgroup = bpf_get_current_cgroup_id();
	rec->user = user;
	rec->quiet = quiet;
	rec->depth = i;
	__sync_fetch_and_add(&row->counter[quiet ? VL_C_QUIET : VL_C_OPENED], 1);
	__sync_fetch_and_add(mark_of(task), 1);
	state->n = i + 1;
	return rec;
}

/* Task state, made on first use. May fail where the allocator or the storage's own lock is busy: counted. */
static __always_inline struct task_state *make_state(struct task_struct *task)
{
	struct task_state *state = bpf_task_storage_get(&tasks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!state)
		count(VL_C_STATE_LOST);
	return state;
}

/* When this fault took the VMA lock, if lock_vma_under_rcu is hooked; 0: not known. Taken once. */
static __always_inline __u64 take_start(struct task_struct *task, __u32 *failed)
{
	struct start *start;
	__u32 i = (__u32)task->pid & (MARKS - 1);

	*failed = 0;
	if (!track_start)
		return 0;
	start = bpf_map_lookup_elem(&starts, &i);
	if (!start || (start->pid & ~START_FAILED) != (__u32)task->pid)
		return 0;
	*failed = start->pid & START_FAILED;
	start->pid = 0;
	return start->ts;
}


/* mm_lock_seq as it stands; false where the kernel has none. Racy unless mmap_lock is held: then it cannot move. */
static __always_inline bool read_mm_seq(void *mm, __u32 *seq)
{
	struct mm_struct___seqcount *counted = mm;
	struct mm_struct___int *plain = mm;

	if (bpf_core_field_exists(counted->mm_lock_seq.sequence))
		*seq = BPF_CORE_READ(counted, mm_lock_seq.sequence);
	else if (bpf_core_field_exists(plain->mm_lock_seq))
		*seq = (__u32)BPF_CORE_READ(plain, mm_lock_seq);
	else
		return false;
	return true;
}

static __always_inline bool read_vma_seq(void *vma, __u32 *seq)
{
	struct vm_area_struct___seq *with_seq = vma;

	if (!bpf_core_field_exists(with_seq->vm_lock_seq))
		return false;
	*seq = BPF_CORE_READ(with_seq, vm_lock_seq);
	return true;
}

/* The system call the task is in; ~0 in none (orig_ax is -1 in an exception) and for kernel threads. */
static __always_inline __u32 current_syscall(struct task_struct *task)
{
	struct pt_regs *regs;

	if (task->flags & PF_KTHREAD)
		return ~0u;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	return (__u32)regs->orig_ax;
}

/* Whether the kernel stack that led here passes through a function, by its addresses; false where they are not known. */
#define STACK_DEPTH 16
static __always_inline bool stack_through(void *ctx, __u64 lo, __u64 hi)
{
	__u64 ips[STACK_DEPTH] = {};

	if (!lo || bpf_get_stack(ctx, ips, sizeof ips, 0) < 0)
		return false;
	for (int i = 0; i < STACK_DEPTH; i++)
		if (ips[i] >= lo && ips[i] < hi)
			return true;
	return false;
}

/* Where the step just sent came from, once an attempt. */
static __always_inline void send_stack(void *ctx, struct rec *rec, __u64 ts)
{
	long kernel = -1, user = -1;

	if ((!stack_kernel && !stack_user) || rec->quiet || rec->have & HAVE_STACK)
		return;
	rec->have |= HAVE_STACK;
	if (stack_kernel)
		kernel = bpf_get_stackid(ctx, &stacks, 0);
	if (stack_user)
		user = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	send(rec, VL_STACK, 0, ts, AB(kernel < 0 ? ~0u : (__u32)kernel, user < 0 ? ~0u : (__u32)user));
}

#endif
