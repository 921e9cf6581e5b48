/* SPDX-License-Identifier: GPL-2.0-only */
/* Steps inside an attempt: do_swap_page, get_swap_device, __folio_lock_or_retry, handle_userfault, __vmf_anon_prepare. */
#ifndef VMALOCKTOP_SWAP_BPF_H
#define VMALOCKTOP_SWAP_BPF_H

/* Who and where, from the attempt's own struct vm_fault: the VMA is locked (or mmap_lock is held) while it runs. */
static __always_inline void fill_from_vmf(struct rec *rec, struct vm_fault *vmf, __u32 flags)
{
	struct vm_area_struct *vma = BPF_CORE_READ(vmf, vma);

	rec->mm = MM_ID(BPF_CORE_READ(vma, vm_mm));
	rec->address = PAGE_OF(BPF_CORE_READ(vmf, address));
	rec->vma_start = BPF_CORE_READ(vma, vm_start);
	rec->vma_end = BPF_CORE_READ(vma, vm_end);
	rec->vm_flags = BPF_CORE_READ(vma, vm_flags);
	if (flags & F(VMA_LOCK)) {
		rec->vma = (__u64)vma;
		if (read_vma_seq(vma, &rec->seq) && read_mm_seq(BPF_CORE_READ(vma, vm_mm), &rec->mm_seq))
			rec->have |= HAVE_VMA;
	}
	if (flags & F(ORIG_PTE_VALID))
		rec->pte = BPF_CORE_READ(vmf, orig_pte.pte);
}

static __always_inline void watch_lock(struct rec *rec, struct vm_area_struct *vma, __u32 flags)
{
	struct vm_area_struct___rwsem *with_lock = (void *)vma;

	if (!observe_release || !(flags & F(VMA_LOCK)))
		return;
	if (bpf_core_field_exists(with_lock->vm_lock))
		rec->vm_lock = (__u64)BPF_CORE_READ(with_lock, vm_lock);
}

/*
 * The record that an inner function (do_swap_page, handle_userfault) belongs to, opened if need be.
 * A fault from user mode interrupts no other fault, so an open record of another fault is stale. A kernel-mode or
 * get_user_pages fault may run inside one: it is inside when its vm_fault lies deeper on the same stack.
 */
static __noinline struct rec *rec_for(struct vm_fault *vmf, __u32 flags, __u32 kind, __u32 quiet)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = make_state(task);
	bool user = flags & F(USER);
	__u64 address = PAGE_OF(BPF_CORE_READ(vmf, address));
	struct rec *rec;
	__u32 failed;

	if (!state)
		return NULL;
	rec = top_of(state);
	if (rec) {
		bool same = rec->address == address && rec->user == user;

		if (same)
			found_later(rec, (__u64)BPF_CORE_READ(vmf, vma));
		if (same && (rec->vmf == (__u64)vmf || rec->state & MM_LOCKED) && !(rec->state & (IN_SWAP | RETRIED | AWAIT_ANY)))
			goto found;
		if (user) {
			abandon_all(kind);
		} else if (!rec->vmf || (__u64)vmf >= rec->vmf) {
			if (!rec->user)
				abandon_all(kind);
		}
	}
	rec = open_rec(task, state, user, quiet);
	if (!rec)
		return NULL;
	fill_from_vmf(rec, vmf, flags);
	if (flags & F(VMA_LOCK))
		rec->acquired = take_start(task, &failed);
found:
	rec->vmf = (__u64)vmf;
	if (!quiet)
		rec->quiet = 0;
	watch_lock(rec, BPF_CORE_READ(vmf, vma), flags);
	return rec;
}

static __always_inline int on_swap_enter(struct vm_fault *vmf)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rec *rec;
	__u32 flags;
	__u64 ts;

	if (!wanted(task))
		return 0;
	if (task->flags & PF_KTHREAD) {
		count(VL_C_KTHREAD);
		return 0;
	}
	count(VL_C_SWAP);
	flags = BPF_CORE_READ(vmf, flags);
	/* Out of the narrowest scope, once the session ends. */
	rec = rec_for(vmf, flags, VL_SWAP_ENTER, !in_scope(VL_SCOPE_SWAP));
	if (!rec)
		return 0;
	ts = bpf_ktime_get_ns();
	rec->t[VL_H_SWAP] = ts;
	rec->state = (rec->state & MM_LOCKED) | IN_SWAP;
	return send(rec, VL_SWAP_ENTER, 0, ts, AB(flags, 0));
}

/* The return of a function whose entry put `in` into the state of this task's record. */
static __always_inline int on_return(__u32 in, enum vl_hist hist, __u32 kind, __u32 ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec = current_rec(task, &state);
	__u64 ts;

	if (!rec || !(rec->state & in))
		return 0;
	ts = bpf_ktime_get_ns();
	measure(hist, ts - rec->t[hist]);
	rec->state &= ~in;
	if (ret & R(RETRY))
		rec->have |= HAVE_INNER;
	return send(rec, kind, 0, ts, AB(0, ret));
}

static __always_inline int on_swap_exit(__u32 ret)
{
	return on_return(IN_SWAP | DEVICE_SEEN | IN_FLOR | SLEPT | IN_UFFD, VL_H_SWAP, VL_SWAP_EXIT, ret);
}

/* The device's name and what its queue says, once a device: the user side reads the map. */
static __always_inline void note_device(struct swap_info_struct *si, __u32 type, __u32 flags)
{
	struct swap_device *device;
	struct gendisk *disk;

	device = bpf_map_lookup_elem(&swap_devices, &type);
	if (!device || (device->seen && device->flags == flags))
		return;
	disk = BPF_CORE_READ(si, bdev, bd_disk);
	bpf_probe_read_kernel_str(device->name, sizeof device->name, &disk->disk_name);
	device->flags = flags;
	if (bpf_core_field_exists(struct queue_limits, features))
		device->synchronous = BPF_CORE_READ(disk, queue, limits.features) & BLK_FEAT_SYNCHRONOUS ? 1 : 2;
	device->seen = 1;
}

static __always_inline int on_swap_device(struct swap_info_struct *si)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec = current_rec(task, &state);
	__u32 type = ~0u, flags = 0;

	if (!rec || (rec->state & (IN_SWAP | DEVICE_SEEN)) != IN_SWAP)
		return 0;
	rec->state |= DEVICE_SEEN;
	if (si) {
		type = (__u32)BPF_CORE_READ(si, type);
		flags = (__u32)BPF_CORE_READ(si, flags);
		count(flags & SWP_SYNCHRONOUS_IO ? VL_C_SWAP_SYNC : VL_C_SWAP_ASYNC);
		note_device(si, type, flags);
	} else {
		count(VL_C_SWAP_NODEV);
	}
	return send(rec, VL_SWAP_DEVICE, 0, bpf_ktime_get_ns(), AB(type, flags));
}

/* Which folio (its place in the memory map, so equal numbers are equal folios), and what it is busy with. */
static __always_inline __u32 folio_state(void *folio, __u32 *step_flags)
{
	struct page___wrapped *wrapped = folio;
	struct page *page = folio;
	unsigned long flags;

	if (bpf_core_field_exists(wrapped->flags.f))
		flags = BPF_CORE_READ(wrapped, flags.f);
	else if (bpf_core_field_exists(page->flags))
		flags = BPF_CORE_READ(page, flags);
	else
		return 0;
	*step_flags = VL_F_FOLIO;
	if (flags >> bpf_core_enum_value(enum pageflags, PG_uptodate) & 1)
		*step_flags |= VL_F_UPTODATE;
	if (flags >> bpf_core_enum_value(enum pageflags, PG_writeback) & 1)
		*step_flags |= VL_F_WRITEBACK;
	return (__u32)((__u64)folio >> 6);
}

static __always_inline int on_flor_enter(void *ctx, void *folio, struct vm_fault *vmf)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec;
	__u32 step_flags = 0, which;
	__u64 ts;

	if (!wanted(task))
		return 0;
	count(VL_C_FLOR);
	rec = current_rec(task, &state);
	if (!rec || !(rec->state & IN_SWAP) || (flor_takes_vmf && rec->vmf != (__u64)vmf))
		return 0;
	ts = bpf_ktime_get_ns();
	rec->t[VL_H_FOLIO_WAIT] = ts;
	rec->state = (rec->state & ~SLEPT) | IN_FLOR;
	which = folio_state(folio, &step_flags);
	send(rec, VL_FLOR_ENTER, step_flags, ts, AB(flor_takes_vmf ? BPF_CORE_READ(vmf, flags) : 0, which));
	if (!(rec->state & MM_LOCKED))
		open_window(rec);
	send_stack(ctx, rec, ts);
	return 0;
}

/* The fault lock is dropped before the wait begins, so the first sleep bounds the release from above. */
static __always_inline int on_io_schedule(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec = current_rec(task, &state);

	if (!rec || !(rec->state & IN_FLOR))
		return on_file_sleep(ctx, task, rec);
	if (rec->state & SLEPT)
		return 0;
	rec->state |= SLEPT;
	return send(rec, VL_FLOR_SLEEP, 0, bpf_ktime_get_ns(), 0);
}

static __always_inline int on_flor_exit(__u32 ret)
{
	if (!wanted(bpf_get_current_task_btf()))
		return 0;
	count(ret & R(RETRY) ? VL_C_FLOR_RETRY : VL_C_FLOR_LOCKED);
	return on_return(IN_FLOR, VL_H_FOLIO_WAIT, VL_FLOR_EXIT, ret);
}

static __always_inline int on_userfault_enter(void *ctx, struct vm_fault *vmf, __u32 reason)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct note *note;
	struct rec *rec;
	__u32 flags;
	__u64 ts;

	if (!wanted(task) || task->flags & PF_KTHREAD)
		return 0;
	count(VL_C_UFFD);
	flags = BPF_CORE_READ(vmf, flags);
	/* Inside shmem_fault (a minor fault, or a missing page of a file): one record, and it began there. */
	note = note_with(task, NOTE_FILE);
	if (note && note->vmf == (__u64)vmf)
		rec_from_note(note, VL_UFFD_ENTER);
	rec = rec_for(vmf, flags, VL_UFFD_ENTER, !in_scope(VL_SCOPE_RETRY));
	if (!rec)
		return 0;
	ts = bpf_ktime_get_ns();
	rec->t[VL_H_UFFD] = ts;
	rec->state |= IN_UFFD;
	send(rec, VL_UFFD_ENTER, 0, ts, AB(flags, reason));
	if (!(rec->state & MM_LOCKED))
		open_window(rec);
	send_stack(ctx, rec, ts);
	return 0;
}

static __always_inline int on_userfault_exit(__u32 ret)
{
	return on_return(IN_UFFD, VL_H_UFFD, VL_UFFD_EXIT, ret);
}

/* On RETRY the VMA lock is still held here: the inline vmf_anon_prepare drops it after this returns. */
static __always_inline int on_anon_prepare_exit(struct vm_fault *vmf, __u32 ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rec *rec;

	if (!(ret & R(RETRY)) || !wanted(task))
		return 0;
	rec = rec_for(vmf, BPF_CORE_READ(vmf, flags), VL_ANON_PREPARE, !in_scope(VL_SCOPE_RETRY));
	if (!rec)
		return 0;
	rec->have |= HAVE_INNER;
	return send(rec, VL_ANON_PREPARE, 0, bpf_ktime_get_ns(), AB(0, ret));
}

#endif
