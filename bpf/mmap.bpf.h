/* SPDX-License-Identifier: GPL-2.0-only */
/* mmap_lock by its tracepoints: how long everybody waits for it, who writes, and when a fault gives it back. */
#ifndef VMALOCKTOP_MMAP_BPF_H
#define VMALOCKTOP_MMAP_BPF_H

/*
 * Programs on tracepoints can be preempted in 7.x, and are then missed. The functions that fire mmap_lock's are hooked
 * too, with preemption off; only what the compiler folded into their callers (lock_mm_and_find_vma lies in the same
 * file) comes by the tracepoint alone. So the first to see an event takes it, and says so to the other.
 */
enum mm_event { MM_START = 1, MM_ACQUIRED = 2, MM_GIVEN_BACK = 3 };

static __always_inline struct ask *make_ask(struct task_struct *task)
{
	struct ask *ask = my_ask(task);

	if (ask && ask->pid != (__u32)task->pid) {
		__builtin_memset(ask, 0, sizeof *ask);
		ask->pid = task->pid;
	}
	return ask;
}

static __always_inline int mm_told(enum mm_event event)
{
	struct ask *ask = make_ask(bpf_get_current_task_btf());

	if (ask)
		ask->told = event;
	return 0;
}

static __always_inline bool mm_was_told(enum mm_event event)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct ask *ask;

	if (!mm_fired)
		return false;
	ask = my_ask(task);
	if (!ask || ask->pid != (__u32)task->pid || ask->told != event)
		return false;
	ask->told = 0;
	return true;
}

static __always_inline int on_mm_start(struct mm_struct *mm, bool write)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct holder holder;
	struct ask *ask;
	__u64 now;

	if (!lock_wanted(task, mm))
		return 0;
	now = bpf_ktime_get_ns();
	hold_asked(task, mm, write, now);
	ask = make_ask(task);
	if (!ask)
		return 0;
	if (write) {
		find_holder(mm, &holder);
		ask->holder = holder.tid;
		ask->holder_prio = holder.prio;
		ask->holder_kind = holder.kind;
	}
	ask->ts = now;
	return 0;
}

static __always_inline __u32 decade_of(__u64 ns)
{
	__u32 d = 0;
	__u64 limit = 1000;

	for (int i = 0; i < VL_DECADES - 1; i++) {
		if (ns >= limit)
			d++;
		limit *= 10;
	}
	return d;
}

/*
 * mmap_lock inside an attempt under the VMA lock. Only __vmf_anon_prepare does that by itself, with a trylock; whether
 * it was that, the stack says. Its failure is the reason of a RETRY to come.
 */
static __always_inline void inside_attempt(void *ctx, struct task_struct *task, struct rec *rec, bool write, bool success)
{
	struct note *note;
	bool attempt = rec && !(rec->state & (MM_LOCKED | IN_MM_LOCK | RETRIED | AWAIT_ANY)) && rec->user;

	if (success && !attempt)
		return;
	if (!write && stack_through(ctx, anon_prepare_lo, anon_prepare_hi)) {
		if (success)
			return;
		if (attempt) {
			rec->have |= HAVE_INNER;
			send(rec, VL_ANON_PREPARE, 0, bpf_ktime_get_ns(), 0);
			return;
		}
		note = make_note(task);
		if (!note)
			return;
		note->have |= NOTE_TRYLOCK;
		note->t_trylock = bpf_ktime_get_ns();
		note->mm_seq_known = read_mm_seq(BPF_CORE_READ(task, mm), &note->mm_seq);
		return;
	}
	/* A handler may take mmap_lock once its own lock is gone: within flor and its like that is no news. */
	if (attempt && rec->state & IN_SWAP && !(rec->state & (IN_FLOR | IN_UFFD | IN_FILE)))
		send(rec, VL_MM_INSIDE, 0, bpf_ktime_get_ns(), AB(write, success));
}

static __always_inline int on_mm_acquired(void *ctx, struct mm_struct *mm, bool write, bool success)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct vl_cpu *row = this_row();
	struct rec *rec;
	struct holder holder;
	struct ask *ask;
	__u64 now, asked = 0, mm_id = BPF_CORE_READ(task, mm) == mm ? 1 : 0;
	bool own = mm_id;

	if (!lock_wanted(task, mm) || !row)
		return 0;
	bpf_probe_read_kernel(&mm_id, sizeof mm_id, &mm);
	mm_id = MM_ID(mm_id);
	now = bpf_ktime_get_ns();
	hold_had(ctx, task, mm, write, success, now);
	ask = my_ask(task);
	if (!ask)
		return 0;
	if (ask->pid == (__u32)task->pid) {
		asked = ask->ts;
		ask->ts = 0;
	}
	/* mmap_write_downgrade says "acquired for read" without having asked. */
	if (!asked) {
		if (!write && success && ask->pid == (__u32)task->pid)
			write_released(task, ask, mm_id);
		return 0;
	}
	if (success) {
		__u32 base = write ? VL_C_MM_WRITE_1US : VL_C_MM_READ_1US;

		__sync_fetch_and_add(&row->counter[write ? VL_C_MM_WRITE : VL_C_MM_READ], 1);
		__sync_fetch_and_add(&row->counter[write ? VL_C_MM_WRITE_NS : VL_C_MM_READ_NS], now - asked);
		__sync_fetch_and_add(&row->counter[(base + decade_of(now - asked)) & 63], 1);
		if (write)
			write_locked(ctx, task, ask, mm, mm_id, asked, now);
	} else if (!write) {
		__sync_fetch_and_add(&row->counter[VL_C_MM_TRY_FAILED], 1);
	}
	if (!own)
		return 0;
	rec = current_rec(task, &state);
	if (!rec || !(rec->state & IN_MM_LOCK)) {
		inside_attempt(ctx, task, rec, write, success);
		return 0;
	}
	if (success) {
		if (write)
			rec->have |= HAVE_GROWN;
		else
			rec->t_mm_had = now;
		return 0;
	}
	find_holder(mm, &holder);
	return send(rec, VL_MM_CONTENDED, 0, now, AB(holder.tid, holder.kind));
}

static __always_inline int on_mm_released(void *ctx, struct mm_struct *mm, bool write)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec;
	struct ask *ask;
	__u64 mm_id;

	if (!in_session())
		return 0;
	if (lock_wanted(task, mm))
		hold_over(ctx, task, mm, write, bpf_ktime_get_ns());
	if (write) {
		ask = my_ask(task);
		if (!ask || ask->pid != (__u32)task->pid || (!ask->held[0].mm && !ask->held[1].mm))
			return 0;
		bpf_probe_read_kernel(&mm_id, sizeof mm_id, &mm);
		write_released(task, ask, MM_ID(mm_id));
		return 0;
	}
	rec = current_rec(task, &state);
	if (!rec || !(rec->state & (AWAIT_MM | MM_LOCKED)))
		return 0;
	bpf_probe_read_kernel(&mm_id, sizeof mm_id, &mm);
	if (MM_ID(mm_id) != rec->mm)
		return 0;
	send(rec, VL_MM_RELEASED, 0, bpf_ktime_get_ns(), 0);
	if (rec->state & AWAIT_MM)
		close_top(task, state);
	return 0;
}

#endif
