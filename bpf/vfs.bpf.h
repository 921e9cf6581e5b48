/* SPDX-License-Identifier: GPL-2.0-only */
/* Types of files, mounts and descriptors: where a VMA's file and a descriptor of /proc have their names. As in compat.bpf.h. */
#ifndef VMALOCKTOP_VFS_BPF_H
#define VMALOCKTOP_VFS_BPF_H

#include "compat.bpf.h"

struct super_block {
	unsigned int s_dev;
	unsigned long s_magic;
} __core;
struct inode {
	void *i_private;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
} __core;
struct qstr {
	const unsigned char *name;
} __core;
struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
} __core;
struct vfsmount {
	struct dentry *mnt_root;
} __core;
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
} __core;
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} __core;
struct file {
	unsigned int f_mode;
	struct inode *f_inode;
	struct path f_path;
} __core;
/* A file of another file system that a stacked one (overlayfs) maps; user_path is what the process opened (6.8 and later). */
struct backing_file {
	struct file file;
	struct path user_path;
} __core;
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} __core;
struct files_struct {
	struct fdtable *fdt;
} __core;
#define PROC_SUPER_MAGIC 0x9fa0 /* include/uapi/linux/magic.h */

#endif
