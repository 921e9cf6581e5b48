/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between architectures: where registers hold arguments, results and the number of a system call; the size of a page. */
#ifndef VMALOCKTOP_ARCH_BPF_H
#define VMALOCKTOP_ARCH_BPF_H

#include "compat.bpf.h"
#include "rodata.bpf.h"

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long cx, ax, dx, si, di, cs, orig_ax;
} __core;
/* Function arguments and result as kprobe.multi programs find them (System V order). */
#define REGS_ARG1(regs) ((regs)->di)
#define REGS_ARG2(regs) ((regs)->si)
#define REGS_ARG3(regs) ((regs)->dx)
#define REGS_RET(regs) ((regs)->ax)
/* Where a function that is just entered returns to, if a stack taken there lacks it: here it lies on the stack. */
#define REGS_CALLER(regs) 0
#define SYSCALL_NR(regs) ((regs)->orig_ax) /* -1 in an exception */
#define SYSCALL_ARG1(regs) ((regs)->di)
#define SYSCALL_ARG2(regs) ((regs)->si)
/* __USER_CS of arch/x86/include/asm/segment.h: a task of 32 bits has other numbers of system calls */
#define SYSCALL_IS_64(regs) ((regs)->cs == 0x33)
/* mprotect, munmap, madvise, mlock, munlock, mbind, mlock2, pkey_mprotect: arch/x86/entry/syscalls/syscall_64.tbl */
#define SYSCALL_NAMES_RANGE(nr) \
	((nr) == 10 || (nr) == 11 || (nr) == 28 || (nr) == 149 || (nr) == 150 || (nr) == 237 || (nr) == 325 || (nr) == 329)
/* read, write, pread64, readv, preadv, ioctl */
#define SYSCALL_READS(nr) ((nr) <= 1 || (nr) == 16 || (nr) == 17 || (nr) == 19 || (nr) == 295)
#define PAGE_MASK (~0xfffull)
/* user_mode() of arch/x86/include/asm/ptrace.h: the privilege level in the code segment */
static __attribute__((always_inline)) inline bool regs_user_mode(const struct pt_regs *regs)
{
	unsigned long cs = 0;

	bpf_core_read(&cs, sizeof cs, &regs->cs);
	return (cs & 3) == 3;
}
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	unsigned long regs[31];
	unsigned long pstate;
	unsigned long orig_x0;
	int syscallno;
} __core;
/* AAPCS64 */
#define REGS_ARG1(r) ((r)->regs[0])
#define REGS_ARG2(r) ((r)->regs[1])
#define REGS_ARG3(r) ((r)->regs[2])
#define REGS_RET(r) ((r)->regs[0])
/* The link register: the unwinder goes by the frame of the caller, which has the caller's caller. */
#define REGS_CALLER(r) ((r)->regs[30])
#define SYSCALL_NR(r) ((r)->syscallno) /* NO_SYSCALL, -1, in an exception */
#define SYSCALL_ARG1(r) ((r)->orig_x0) /* regs[0] becomes the result */
#define SYSCALL_ARG2(r) ((r)->regs[1])
#define SYSCALL_IS_64(r) (!((r)->pstate & 0x10)) /* PSR_MODE32_BIT of arch/arm64/include/uapi/asm/ptrace.h */
/* munmap, mprotect, mlock, munlock, madvise, mbind, mlock2, pkey_mprotect: include/uapi/asm-generic/unistd.h */
#define SYSCALL_NAMES_RANGE(nr) \
	((nr) == 215 || (nr) == 226 || (nr) == 228 || (nr) == 229 || (nr) == 233 || (nr) == 235 || (nr) == 284 || (nr) == 288)
/* ioctl, read, write, readv, pread64, preadv: include/uapi/asm-generic/unistd.h */
#define SYSCALL_READS(nr) ((nr) == 29 || ((nr) >= 63 && (nr) <= 65) || (nr) == 67 || (nr) == 69)
#define PAGE_MASK (~(page_size - 1)) /* 4, 16 or 64 KiB */
/* user_mode() of arch/arm64/include/asm/ptrace.h: PSR_MODE_MASK is 0xf, PSR_MODE_EL0t 0 */
static __attribute__((always_inline)) inline bool regs_user_mode(const struct pt_regs *regs)
{
	unsigned long pstate = 0xf;

	bpf_core_read(&pstate, sizeof pstate, &regs->pstate);
	return (pstate & 0xf) == 0;
}
#else
#error "argument registers of this architecture are not written down in arch.bpf.h"
#endif

#endif
