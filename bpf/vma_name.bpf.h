/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a VMA maps: file, heap, stack, the name of an anonymous mapping. /proc/PID/maps says the same, to those who may read
 * it, and takes locks of the mm that is observed; here the VMA is locked already, and nothing is taken.
 */
#ifndef VMALOCKTOP_VMA_NAME_BPF_H
#define VMALOCKTOP_VMA_NAME_BPF_H

#include "compat.bpf.h"
#include "events.h"
#include "maps.bpf.h"
#include "pids.bpf.h"
#include "rodata.bpf.h"
#include "state.bpf.h"
#include "vfs.bpf.h"

/* Names in a path and mounts on its way, together. */
#define PATH_STEPS 24

/*
 * On the way from a file up: the next name goes to names[*length], both of struct vl_vma. The length lies in the ring, where the
 * verifier knows no value of it, so that the second look at the body is like the first.
 */
struct path_walk {
	char *names;
	__u32 *length;
	struct dentry *dentry;
	struct mount *mount;
	__u64 whole; /* nothing of it lacks */
};

/* One name, or one mount on the way; 1: there is no more to be had. */
static long walk_up(__u32 i, struct path_walk *walk)
{
	struct dentry *dentry = walk->dentry, *up = BPF_CORE_READ(dentry, d_parent);
	struct mount *mount = walk->mount;
	__u64 length = *walk->length;
	long n;

	if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
		struct mount *above = BPF_CORE_READ(mount, mnt_parent);

		if (above == mount || !above) {
			walk->whole = 1;
			return 1;
		}
		walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		walk->mount = above;
		return 0;
	}
	/* A directory above all mounts of its file system: what is left of a mount that was cut off. */
	if (up == dentry && length) {
		walk->whole = 1;
		return 1;
	}
	asm volatile("" : "+r"(length));
	if (length > VL_PATH)
		return 1;
	n = bpf_probe_read_kernel_str(&walk->names[length], VL_COMPONENT, BPF_CORE_READ(dentry, d_name.name));
	if (n <= 0)
		return 1;
	*walk->length = length + n;
	walk->dentry = up;
	/* memfd and its like: a name and nothing above it. */
	walk->whole = up == dentry;
	return up == dentry;
}

/*
 * The path of the file as the process sees it: names from the file up, through the mounts, to the root of its mount namespace.
 * By bpf_loop, whose body the verifier looks at once; a loop it unrolls made three quarters of what it had to verify.
 */
static __always_inline bool read_path(struct vl_vma *out, struct dentry *dentry, struct vfsmount *vfsmount)
{
	struct path_walk walk = {
		.names = out->name,
		.length = &out->length,
		.dentry = dentry,
		.mount = (void *)((__u64)vfsmount - bpf_core_field_offset(struct mount, mnt)),
	};

	bpf_loop(PATH_STEPS, walk_up, &walk, 0);
	return walk.whole;
}

static __always_inline __u32 read_file(struct vl_vma *out, struct file *file)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct vfsmount *vfsmount = BPF_CORE_READ(file, f_path.mnt);
	struct backing_file *backing = (void *)file;
	__u32 what = VL_MAPPING_FILE;
	struct inode *inode;

	if (bpf_core_field_exists(backing->user_path) && BPF_CORE_READ(file, f_mode) & fmode_backing) {
		dentry = BPF_CORE_READ(backing, user_path.dentry);
		vfsmount = BPF_CORE_READ(backing, user_path.mnt);
	}
	inode = BPF_CORE_READ(dentry, d_inode);
	out->step.b = BPF_CORE_READ(inode, i_sb, s_dev);
	out->inode = BPF_CORE_READ(inode, i_ino);
	if (!BPF_CORE_READ(inode, i_nlink))
		what |= VL_MAPPING_DELETED;
	if (!read_path(out, dentry, vfsmount))
		what |= VL_MAPPING_CUT;
	return what;
}

static __always_inline __u32 read_anonymous(struct vl_vma *out, struct mm_struct *mm, struct anon_vma_name *named)
{
	unsigned long stack = BPF_CORE_READ(mm, start_stack);
	long n;

	/* In the order of /proc/PID/maps. */
	if (out->vma_start < BPF_CORE_READ(mm, brk) && out->vma_end > BPF_CORE_READ(mm, start_brk))
		return VL_MAPPING_HEAP;
	if (out->vma_start <= stack && out->vma_end >= stack)
		return VL_MAPPING_STACK;
	if (named) {
		n = bpf_probe_read_kernel_str(out->name, VL_COMPONENT, (void *)named + bpf_core_field_offset(struct anon_vma_name, name));
		out->length = n > 0 ? n : 0;
	}
	return VL_MAPPING_ANON;
}

/* Sends what this VMA maps, unless that was sent. The VMA's lock or mmap_lock is held. */
__noinline int name_vma(struct rec *rec, __u64 at)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vm_area_struct *vma = TYPED(vm_area_struct, at);
	struct vm_area_struct___named *with_name = (void *)vma;
	struct anon_vma_name *named = NULL;
	struct vl_vma *out;
	struct file *file;
	__u64 start, key, of;
	__u32 i;

	if (!rec || rec->quiet || !at)
		return 0;
	file = vma->vm_file;
	of = NUMBER_OF(rec->number, file);
	if (!file && bpf_core_field_exists(with_name->anon_name)) {
		named = with_name->anon_name;
		of = NUMBER_OF(rec->number, named);
	}
	start = vma->vm_start;
	key = ((start >> 12) * 0x9e3779b97f4a7c15ull ^ rec->mm * 0xc2b2ae3d27d4eb4full ^ of) + my_tgid(task);
	key = (key ^ key >> 29) * 0xbf58476d1ce4e5b9ull | 1;
	i = key >> 40 & (NAMED_VMAS - 1);
	asm volatile("" : "+r"(i));
	i &= NAMED_VMAS - 1;
	if (named_vmas[i] == key)
		return 0;
	out = bpf_ringbuf_reserve(&events, sizeof *out, 0);
	if (!out)
		return 0;
	named_vmas[i] = key;
	__builtin_memset(&out->step, 0, sizeof out->step);
	out->step.kind = VL_NOTE_VMA;
	out->step.cpu = bpf_get_smp_processor_id();
	out->step.tid = my_tid(task);
	out->step.ts = bpf_ktime_get_ns();
	out->mm = rec->mm;
	out->vma_start = start;
	out->vma_end = vma->vm_end;
	out->inode = 0;
	out->tgid = my_tgid(task);
	out->length = 0;
	out->step.a = file ? read_file(out, file) : read_anonymous(out, vma->vm_mm, named);
	bpf_ringbuf_submit(out, BPF_RB_NO_WAKEUP);
	return 0;
}

#endif
