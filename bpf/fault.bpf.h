/* SPDX-License-Identifier: GPL-2.0-only */
/* The frame of a fault: VMA lookup, handle_mm_fault, the fallback to mmap_lock, the release, and what cuts it short. */
#ifndef VMALOCKTOP_FAULT_BPF_H
#define VMALOCKTOP_FAULT_BPF_H

/* Leaves the time of the VMA lock (or of its refusal) for the record or the counter that follows. */
static __always_inline int on_vma_lock(struct vm_area_struct *vma)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 i = (__u32)task->pid & (MARKS - 1);
	struct start *start;

	if (!wanted(task))
		return 0;
	start = bpf_map_lookup_elem(&starts, &i);
	if (!start)
		return 0;
	start->ts = bpf_ktime_get_ns();
	start->failed = !vma;
	start->pid = task->pid;
	return 0;
}

static __always_inline __u32 hmf_counter(__u32 flags, __u32 ret, bool regs)
{
	__u32 base;

	if (!regs)
		return VL_C_GUP;
	if (!(flags & F(USER)))
		return ret & R(RETRY) ? VL_C_KERNEL_RETRY : VL_C_KERNEL;
	base = flags & F(VMA_LOCK) ? VL_C_VMA_OK : VL_C_MMAP_OK;
	if (ret & R(RETRY))
		return base + 1;
	if (ret & R(COMPLETED))
		return base + 2;
	return ret & R_ERROR ? base + 3 : base;
}

/* The VMA's fields may be read only while a lock is held: not after RETRY or COMPLETED. */
static __always_inline void fill_from_vma(struct rec *rec, struct vm_area_struct *vma)
{
	rec->vma_start = vma->vm_start;
	rec->vma_end = vma->vm_end;
	rec->vm_flags = vma->vm_flags;
}

/* handle_mm_fault returned and the fault is, or becomes, worth a record. */
static __noinline int hmf_slow(struct vm_area_struct *vma, __u64 address, __u64 flags_ret, __u32 regs)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 flags = flags_ret >> 32, ret = (__u32)flags_ret, failed;
	bool user = regs && flags & F(USER), held = !(ret & (R(RETRY) | R(COMPLETED)));
	__u64 ts = bpf_ktime_get_ns(), page = PAGE_OF(address);
	struct task_state *state;
	struct rec *rec = current_rec(task, &state);
	__u32 step_flags = regs ? VL_F_REGS : 0;

	if (rec && (rec->address != page || rec->user != user || rec->state & AWAIT_RELEASE)) {
		if (!user)
			return 0; /* an ordinary fault inside another's handler, or a user-mode record that is stale */
		abandon_all(VL_HMF_EXIT);
		rec = NULL;
	}
	if (!rec) {
		__u64 acquired = flags & F(VMA_LOCK) ? take_start(task, &failed) : 0;
		bool slow = min_ns && acquired && ts - acquired >= min_ns;
		bool quiet = scope != VL_SCOPE_ALL && !slow && !(scope == VL_SCOPE_RETRY && ret & R(RETRY));

		if (!user || (quiet && !(ret & R(RETRY))))
			return 0;
		state = make_state(task);
		if (!state)
			return 0;
		rec = open_rec(task, state, user, quiet);
		if (!rec)
			return 0;
		rec->acquired = acquired;
		rec->mm = MM_ID(BPF_CORE_READ(task, mm));
		rec->address = page;
		if (held)
			fill_from_vma(rec, vma);
	}
	if (ret & R(RETRY)) {
		struct task_struct___ti *with_ti = (void *)task;
		unsigned long work = BPF_CORE_READ(with_ti, thread_info.flags);

		if (work >> TIF_SIGPENDING_BIT & 1)
			step_flags |= VL_F_SIGPENDING;
	}
	send(rec, VL_HMF_EXIT, step_flags, ts, AB(flags, ret));
	if (ret & R(RETRY)) {
		rec->state = RETRIED;
		rec->vmf = 0;
		rec->vm_lock = 0;
		return 0;
	}
	if (observe_release && held && flags & F(VMA_LOCK)) {
		struct vm_area_struct___rwsem *with_lock = (void *)vma;

		if (bpf_core_field_exists(with_lock->vm_lock)) {
			rec->vm_lock = (__u64)with_lock->vm_lock;
			rec->state = AWAIT_RELEASE;
			return 0;
		}
	}
	close_top(task, state);
	return 0;
}

/* An ordinary fault in scope all, or one slower than min_ns: one record, and no per-task state. */
static __always_inline int hmf_whole(struct task_struct *task, struct vl_cpu *row, struct vm_area_struct *vma,
				     __u64 address, __u32 flags, __u32 ret)
{
	__u64 ts, acquired = 0;
	__u32 failed;

	ts = bpf_ktime_get_ns();
	if (flags & F(VMA_LOCK))
		acquired = take_start(task, &failed);
	if (scope != VL_SCOPE_ALL && (!acquired || ts - acquired < min_ns))
		return 0;
	send_whole(task, row, ret & R(COMPLETED) ? NULL : vma, acquired, PAGE_OF(address), VL_F_REGS, ts, flags, ret);
	return 0;
}

/* Every fault passes here, so an ordinary one pays for a counter and one load, and no more: nothing is asked of it
 * that its flags and result do not already say. The row's counter needs no atomic: this program cannot interrupt
 * itself on a CPU, and no other one writes these counters. VMA_LOCK implies USER and regs (only the architecture's
 * fault handler sets it). */
static __always_inline int on_hmf_exit(struct vm_area_struct *vma, __u64 address, __u32 flags, void *regs, __u32 ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vl_cpu *row;

	if (!wanted(task))
		return 0;
	row = this_row();
	if (!row)
		return 0;
	if (flags & F(VMA_LOCK) && !ret)
		row->counter[VL_C_VMA_OK]++;
	else
		row->counter[hmf_counter(flags, ret, regs != NULL) & 63]++;
	if (!(ret & R(RETRY)) && !*mark_of(task)) {
		if (scope != VL_SCOPE_ALL && !min_ns)
			return 0;
		if (!observe_release && regs && flags & F(USER))
			return hmf_whole(task, row, vma, address, flags, ret);
	}
	return hmf_slow(vma, address, AB(flags, ret), regs != NULL);
}

static __always_inline int on_mm_lock_enter(__u64 address, struct pt_regs *regs)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec;
	bool user;
	__u32 failed = 0;
	__u64 ts, refused;

	if (!wanted(task))
		return 0;
	user = regs_user_mode(regs);
	rec = current_rec(task, &state);
	ts = bpf_ktime_get_ns();
	/* The same fault again: after its RETRY, or with that return of handle_mm_fault missed, which is no ABORT. */
	if (rec && !(rec->state & AWAIT_RELEASE) && rec->user == user && rec->address == PAGE_OF(address)) {
		if (user)
			count(VL_C_FALLBACK);
	} else {
		if (!user)
			return 0; /* a kernel-mode fault: its record, if any, opens in do_swap_page */
		count(VL_C_ABORT);
		if (rec)
			abandon_all(VL_MM_LOCK_ENTER);
		if (scope < VL_SCOPE_RETRY)
			return 0;
		state = make_state(task);
		if (!state)
			return 0;
		rec = open_rec(task, state, true, false);
		if (!rec)
			return 0;
		rec->mm = MM_ID(BPF_CORE_READ(task, mm)); /* read, not taken from the argument: a number, not a pointer, to the verifier */
		rec->address = PAGE_OF(address);
		refused = take_start(task, &failed);
		if (failed)
			send(rec, VL_VMA_LOCK, 0, refused, AB(0, 0));
	}
	rec->t_mm_lock = ts;
	rec->state = IN_MM_LOCK;
	return send(rec, VL_MM_LOCK_ENTER, 0, ts, AB(user, 0));
}

static __always_inline int on_mm_lock_exit(void *vma)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec = current_rec(task, &state);
	__u64 ts;

	if (!rec || !(rec->state & IN_MM_LOCK))
		return 0;
	ts = bpf_ktime_get_ns();
	measure(VL_H_MMAP_LOCK, ts - rec->t_mm_lock);
	rec->state = MM_LOCKED;
	send(rec, VL_MM_LOCK_EXIT, 0, ts, AB(vma != NULL, 0));
	if (!vma)
		close_top(task, state);
	return 0;
}

/* 6.4 to 6.14: vma_end_read is up_read on the VMA's own rw_semaphore. Called for every rw_semaphore of the system,
 * so the mark comes first. */
static __always_inline int on_up_read(void *sem)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec = current_rec(task, &state);

	if (!rec || rec->vm_lock != (__u64)sem)
		return 0;
	rec->vm_lock = 0;
	send(rec, VL_VMA_RELEASE, 0, bpf_ktime_get_ns(), AB(1, 0));
	if (rec->state & AWAIT_RELEASE)
		close_top(task, state);
	return 0;
}

/* A record still open when a signal is delivered or the task ends: RETRY with a signal pending takes no fallback. */
static __always_inline int on_cut_short(enum vl_kind kind, __u32 a)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec = current_rec(task, &state);
	__u64 ts;

	if (!rec)
		return 0;
	ts = bpf_ktime_get_ns();
	for (int i = 0; i < MAX_DEPTH && state->n; i++) {
		rec = top_of(state);
		if (rec)
			send(rec, kind, 0, ts, AB(a, 0));
		close_top(task, state);
	}
	return 0;
}

/* A process forked by us in the window the user side opens, or by a followed process, is followed. */
static __always_inline int on_fork(struct task_struct *parent, struct task_struct *child)
{
	__u32 from = parent->tgid, to = child->tgid;
	__u8 one = 1;

	if (from == to || !filter_tgid)
		return 0;
	if ((from == own_tgid && follow_children) || bpf_map_lookup_elem(&tgids, &from))
		bpf_map_update_elem(&tgids, &to, &one, BPF_ANY);
	return 0;
}

#endif
