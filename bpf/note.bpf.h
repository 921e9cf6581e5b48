/* SPDX-License-Identifier: GPL-2.0-only */
/* Notes (maps.bpf.h) and the file faults that live on them: filemap_fault and shmem_fault. */
#ifndef VMALOCKTOP_NOTE_BPF_H
#define VMALOCKTOP_NOTE_BPF_H

static __always_inline struct note *note_slot(struct task_struct *task)
{
	__u32 i = (__u32)task->pid & (NOTES - 1);

	return bpf_map_lookup_elem(&notes, &i);
}

/* This task's note, if it has one with `bit`. */
static __always_inline struct note *note_with(struct task_struct *task, __u32 bit)
{
	struct note *note = note_slot(task);

	return note && note->pid == (__u32)task->pid && note->have & bit ? note : NULL;
}

static __always_inline struct note *make_note(struct task_struct *task)
{
	struct note *note = note_slot(task);

	if (note && note->pid != (__u32)task->pid) {
		if (note->have)
			count(VL_C_NOTE_LOST);
		note->have = 0;
		note->pid = task->pid;
	}
	return note;
}

/* A missed return leaves a note behind; its vm_fault lay on this task's stack, so what is there now tells. */
static __always_inline bool note_holds(struct note *note)
{
	struct vm_fault *vmf = (void *)note->vmf;

	return PAGE_OF(BPF_CORE_READ(vmf, address)) == note->address && (__u64)BPF_CORE_READ(vmf, vma) == note->vma &&
	       (__u32)BPF_CORE_READ(vmf, flags) == note->flags;
}

/* Makes the record of a file fault that turned out worth it: it sleeps, or it returned RETRY. */
static __noinline struct rec *rec_from_note(struct note *note, __u32 kind)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec;
	__u32 failed;

	if (!note)
		return NULL;
	state = make_state(task);
	if (!state)
		return NULL;
	if (state->n)
		abandon_all(kind);
	rec = open_rec(task, state, true, !in_scope(VL_SCOPE_RETRY));
	if (!rec)
		return NULL;
	rec->mm = MM_ID(BPF_CORE_READ(task, mm));
	rec->address = note->address;
	rec->vma_start = note->vma_start;
	rec->vma_end = note->vma_end;
	rec->vm_flags = note->vm_flags;
	rec->vma = note->vma;
	rec->seq = note->seq;
	rec->mm_seq = note->mm_seq;
	rec->have = HAVE_VMA;
	rec->vmf = note->vmf;
	rec->file = note->file;
	rec->state = IN_FILE;
	rec->acquired = take_start(task, &failed);
	note->have &= ~NOTE_FILE;
	send(rec, VL_FILE_ENTER, 0, note->t_file, AB(note->flags, note->file));
	open_window(rec);
	return rec;
}

/* The record of the pass that comes here: the second one, or one that do_swap_page opened (a pte marker of a file). */
static __always_inline bool is_of_pass(struct rec *rec, struct vm_fault *vmf)
{
	if (rec->state & (IN_FILE | RETRIED | IN_MM_LOCK | AWAIT_ANY))
		return false;
	return rec->vmf == (__u64)vmf ||
	       (rec->state & MM_LOCKED && rec->address == PAGE_OF(BPF_CORE_READ(vmf, address)));
}

static __always_inline int on_file_enter(struct vm_fault *vmf, __u32 which)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vm_area_struct *vma;
	struct task_state *state;
	struct note *note;
	struct rec *rec;
	__u32 flags;

	if (!wanted(task) || task->flags & PF_KTHREAD)
		return 0;
	count(which == VL_FILE_SHMEM ? VL_C_SHMEM : VL_C_FILE);
	flags = BPF_CORE_READ(vmf, flags);
	rec = current_rec(task, &state);
	if (rec && rec->address == PAGE_OF(BPF_CORE_READ(vmf, address)))
		found_later(rec, (__u64)BPF_CORE_READ(vmf, vma));
	if (rec)
		try_again(rec, flags, PAGE_OF(BPF_CORE_READ(vmf, address)), (__u64)vmf);
	if (rec && is_of_pass(rec, vmf)) {
		rec->vmf = (__u64)vmf;
		rec->file = which;
		rec->state = (rec->state & ~SLEPT) | IN_FILE;
		return send(rec, VL_FILE_ENTER, 0, bpf_ktime_get_ns(), AB(flags, which));
	}
	if (!(flags & F(VMA_LOCK)))
		return 0;
	note = make_note(task);
	if (!note)
		return 0;
	vma = BPF_CORE_READ(vmf, vma);
	note->have |= NOTE_FILE;
	note->t_file = bpf_ktime_get_ns();
	note->vmf = (__u64)vmf;
	note->flags = flags;
	note->address = PAGE_OF(BPF_CORE_READ(vmf, address));
	note->vma = (__u64)vma;
	note->vma_start = BPF_CORE_READ(vma, vm_start);
	note->vma_end = BPF_CORE_READ(vma, vm_end);
	note->vm_flags = BPF_CORE_READ(vma, vm_flags);
	note->file = which;
	read_vma_seq(vma, &note->seq);
	read_mm_seq(BPF_CORE_READ(vma, vm_mm), &note->mm_seq);
	if (which == VL_FILE_SHMEM && BPF_CORE_READ(vma, vm_file, f_inode, i_private))
		note->file |= VL_FILE_PUNCH;
	return 0;
}

static __always_inline int on_file_exit(__u32 which, __u32 ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct note *note;
	struct rec *rec;

	if (!wanted(task) || task->flags & PF_KTHREAD)
		return 0;
	if (ret & R(RETRY))
		count(which == VL_FILE_SHMEM ? VL_C_SHMEM_RETRY : VL_C_FILE_RETRY);
	rec = current_rec(task, &state);
	if (!rec || !(rec->state & IN_FILE)) {
		note = note_with(task, NOTE_FILE);
		if (!note)
			return 0;
		if (!(ret & R(RETRY))) {
			note->have &= ~NOTE_FILE;
			return 0;
		}
		rec = rec_from_note(note, VL_FILE_EXIT);
		if (!rec)
			return 0;
	}
	if (ret & R(RETRY))
		rec->have |= HAVE_INNER;
	rec->state &= ~IN_FILE;
	return send(rec, VL_FILE_EXIT, 0, bpf_ktime_get_ns(), AB(rec->file, ret));
}

/* The first sleep of a fault in filemap_fault or shmem_fault: from here on it is worth looking at. */
static __always_inline int on_file_sleep(void *ctx, struct task_struct *task, struct rec *rec)
{
	struct note *note;
	__u64 ts;

	if (!rec || !(rec->state & IN_FILE)) {
		note = note_with(task, NOTE_FILE);
		if (!note)
			return 0;
		if (!note_holds(note)) {
			note->have &= ~NOTE_FILE;
			return 0;
		}
		rec = rec_from_note(note, VL_FILE_SLEEP);
		if (!rec)
			return 0;
	}
	if (rec->state & SLEPT)
		return 0;
	rec->state |= SLEPT;
	ts = bpf_ktime_get_ns();
	send(rec, VL_FILE_SLEEP, 0, ts, 0);
	send_stack(ctx, rec, ts);
	return 0;
}

/* Evidence from inside filemap_fault. These functions serve read(2) as well: without a note there is nothing to do. */
static __always_inline int on_file_evidence(__u32 what)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct note *note;
	struct rec *rec = current_rec(task, &state);

	if (rec && rec->state & IN_FILE) {
		rec->file |= what;
		return 0;
	}
	note = note_with(task, NOTE_FILE);
	if (note && note_holds(note))
		note->file |= what;
	return 0;
}

#endif
