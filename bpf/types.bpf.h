/* SPDX-License-Identifier: GPL-2.0-only */
/* The integer types of the kernel, without its headers. */
#ifndef VMALOCKTOP_TYPES_BPF_H
#define VMALOCKTOP_TYPES_BPF_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed int __s32;
typedef signed long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

#endif
