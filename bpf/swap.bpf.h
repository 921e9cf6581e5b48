/* SPDX-License-Identifier: GPL-2.0-only */
/* Steps inside an attempt on a swap entry: do_swap_page, get_swap_device, __folio_lock_or_retry, io_schedule. */
#ifndef VMALOCKTOP_SWAP_BPF_H
#define VMALOCKTOP_SWAP_BPF_H

#include "attempt.bpf.h"
#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "file.bpf.h"
#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "record.bpf.h"
#include "rodata.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"
#include "swap_pending.bpf.h"
#include "vma_hold.bpf.h"

/* A swap fault that is followed from its start. `vmf`: TYPED, as below. */
static __noinline int swap_followed(struct vm_fault *vmf, __u32 step_flags)
{
	__u32 flags = vmf->flags;
	/* Out of the narrowest scope, once the scope is cut. */
	bool quiet = !in_scope(VL_SCOPE_SWAP);
	struct rec *rec = rec_for(vmf, flags, VL_SWAP_ENTER, quiet);
	__u64 ts;

	count(!rec ? VL_C_SWAP_LOST : quiet ? VL_C_SWAP_COUNTED : VL_C_SWAP_FOLLOWED);
	if (!rec)
		return 0;
	if (step_flags & VL_F_SAMPLED && !quiet)
		count(VL_C_SWAP_SAMPLED);
	ts = bpf_ktime_get_ns();
	rec->t[VL_H_SWAP] = ts;
	rec->state = (rec->state & MM_LOCKED) | IN_SWAP;
	return send(rec, VL_SWAP_ENTER, step_flags, ts, AB(flags, 0));
}

static __always_inline int on_swap_enter(struct vm_fault *vmf)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!should_trace(task))
		return 0;
	if (task->flags & PF_KTHREAD) {
		count(VL_C_KTHREAD);
		return 0;
	}
	count(VL_C_SWAP);
	return swap_followed(vmf, 0);
}

static __always_inline int on_swap_exit(__u32 ret)
{
	if (!in_session())
		return 0;
	return on_return(IN_SWAP | DEVICE_SEEN | IN_FLOR | SLEPT | IN_UFFD, VL_H_SWAP, VL_SWAP_EXIT, ret);
}

/* The device's name and what its queue says, once a device: the user side reads the map. */
static __always_inline void save_device(struct swap_info_struct *si, __u32 type, __u32 flags)
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

/* Counts which kind of device it is. Returns its type, ~0 for NULL. */
static __always_inline __u32 swap_device_of(struct swap_info_struct *si, __u32 *flags)
{
	__u32 type;

	*flags = 0;
	if (!si) {
		count(VL_C_SWAP_NODEV);
		return ~0u;
	}
	type = (__u32)si->type;
	*flags = (__u32)si->flags;
	count(*flags & SWP_SYNCHRONOUS_IO ? VL_C_SWAP_SYNC : VL_C_SWAP_ASYNC);
	save_device(si, type, *flags);
	return type;
}

static __always_inline int on_swap_device(struct swap_info_struct *si)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec = current_rec(task, &state);
	__u32 type, flags;

	if (!rec || (rec->state & (IN_SWAP | DEVICE_SEEN)) != IN_SWAP || !in_session())
		return 0;
	rec->state |= DEVICE_SEEN;
	type = swap_device_of(si, &flags);
	return send(rec, VL_SWAP_DEVICE, 0, bpf_ktime_get_ns(), AB(type, flags));
}

/* Which folio (its place in the memory map, so equal numbers are equal folios), and what it is busy with. */
static __always_inline __u32 folio_state(struct rec *rec, void *folio, __u32 *step_flags)
{
	struct page *page = TYPED(page, folio);
	struct page___wrapped *wrapped = (void *)page;
	unsigned long flags;

	if (bpf_core_field_exists(wrapped->flags.f))
		flags = wrapped->flags.f;
	else if (bpf_core_field_exists(page->flags))
		flags = page->flags;
	else
		return 0;
	*step_flags = VL_F_FOLIO;
	if (flags >> bpf_core_enum_value(enum pageflags, PG_uptodate) & 1)
		*step_flags |= VL_F_UPTODATE;
	if (flags >> bpf_core_enum_value(enum pageflags, PG_writeback) & 1)
		*step_flags |= VL_F_WRITEBACK;
	return (__u32)(NUMBER_OF(rec->number, folio) >> 6);
}

static __always_inline int on_flor_enter(void *ctx, void *folio, struct vm_fault *vmf)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec;
	__u32 step_flags = 0, which;
	__u64 ts;

	if (!should_trace(task))
		return 0;
	count(VL_C_FLOR);
	rec = current_or_pending(task, &state);
	if (!rec || !(rec->state & IN_SWAP) || (flor_takes_vmf && rec->vmf != (__u64)vmf))
		return 0;
	if (flor_takes_vmf)
		vmf_hold_ends(vmf, vmf->flags);
	ts = bpf_ktime_get_ns();
	rec->t[VL_H_FOLIO_WAIT] = ts;
	rec->state = (rec->state & ~SLEPT) | IN_FLOR;
	which = folio_state(rec, folio, &step_flags);
	send(rec, VL_FLOR_ENTER, step_flags, ts, AB(flor_takes_vmf ? vmf->flags : 0, which));
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

	if (!in_session())
		return 0;
	if (!rec || !(rec->state & IN_FLOR))
		return on_file_sleep(ctx, task, rec);
	if (rec->state & SLEPT)
		return 0;
	rec->state |= SLEPT;
	return send(rec, VL_FLOR_SLEEP, 0, bpf_ktime_get_ns(), 0);
}

static __always_inline int on_flor_exit(__u32 ret)
{
	if (!should_trace(bpf_get_current_task_btf()))
		return 0;
	count(ret & R_RETRY ? VL_C_FLOR_RETRY : VL_C_FLOR_LOCKED);
	return on_return(IN_FLOR, VL_H_FOLIO_WAIT, VL_FLOR_EXIT, ret);
}

#endif
