/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What `a` and `b` of a record are, by its kind: the first member is `a`, the second one `b`; a kind that is not here has
 * neither. src/schema/events.gen.ts has these names as VlArgs, and the user side reads the two by no others.
 */
#ifndef VMALOCKTOP_ARGS_H
#define VMALOCKTOP_ARGS_H

#include "types.bpf.h"

/* `none` is a word without a meaning. A system call is its number, ~0 in none. */
union vl_args {
	struct { __u32 locked; } vma_lock;             /* 1 locked, 0 NULL */
	struct { __u32 flags, ret; } hmf_exit;         /* fault flags, vm_fault_t */
	struct { __u32 flags; } swap_enter;            /* vmf->flags */
	struct { __u32 none, ret; } swap_exit;         /* vm_fault_t */
	struct { __u32 type, si_flags; } swap_device;    /* si->type or ~0 for NULL, si->flags */
	struct { __u32 flags, folio; } flor_enter;     /* vmf->flags, which folio: 0 not known */
	struct { __u32 none, ret; } flor_exit;         /* vm_fault_t */
	struct { __u32 flags, reason; } uffd_enter;    /* vmf->flags, VM_UFFD_* */
	struct { __u32 none, ret; } uffd_exit;         /* vm_fault_t */
	struct { __u32 none, ret; } anon_prepare;      /* vm_fault_t, 0 when the failed trylock inside it was seen and not its return */
	struct { __u32 user_mode, holder_kind; } mm_lock_enter; /* 1 when the fault came from user mode, enum vl_holder */
	struct { __u32 found, writers; } mm_lock_exit; /* enum vl_found, 0 NULL; writers of the mm meanwhile */
	struct { __u32 by; } vma_release;              /* 1 up_read, 2 vma_end_read */
	struct { __u32 number; } signal;               /* of the signal */
	struct { __u32 kind; } abandoned;              /* of the step that began the newer fault */
	struct { __u32 flags, file; } file_enter;      /* vmf->flags, enum vl_file */
	struct { __u32 file, ret; } file_exit;         /* enum vl_file, vm_fault_t */
	struct { __u32 wait; } wait_enter;             /* enum vl_wait */
	struct { __u32 wait; } wait_exit;
	struct { __u32 inner, ret; } inner_retry;      /* enum vl_inner, vm_fault_t */
	struct { __u32 holder, holder_kind; } mm_contended; /* tid, 0 not known; enum vl_holder */
	struct { __u32 high, low; } vma_ops;           /* halves of vma->vm_ops->fault */
	struct { __u32 writer, writer_syscall; } mm_writer;
	struct { __u32 kernel, user; } stack;          /* stack ids, ~0 none */
	struct { __u32 write, success; } mm_inside;    /* 1 for write, 1 when it succeeded */
	struct { __u32 syscall, holder; } w_acquired;  /* tid of the holder it found, 0 none or not known */
	struct { __u32 syscall; } w_released;
	struct { __u32 syscall, wait_ns; } w_vma;      /* ns it waited for readers, saturating */
	struct { __u32 vma_lock; } access_error;       /* 1 under the VMA lock, 0 under mmap_lock */
	struct { __u32 syscall, owner; } l_held;       /* process that owns the mm, 0 not known */
	struct { __u32 syscall, holder; } l_waited;    /* tid of the holder when it was asked for, 0 not known */
	struct { __u32 syscall; } l_vma;
	struct { __u32 syscall; } l_copied;
};

#endif
