/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a hook's program is written once and stands in the object under every way it can be attached:
 *   kpm_ kprobe.multi entry, krpm_ kretprobe.multi return, fentry_, fexit_, tp_ tracepoint.
 */
#ifndef VMALOCKTOP_HOOKS_BPF_H
#define VMALOCKTOP_HOOKS_BPF_H

#include "arch.bpf.h"
#include "compat.bpf.h"
#include "rodata.bpf.h"

/* `body` has the arguments as a1, a2, … Returns 1, which declines the return where it is attached as a session
 * (src/live/attach-plan.ts), and means nothing elsewhere. */
#define MULTI_ENTRY(function, body)                                                                \
	SEC("kprobe.multi") int kpm_##function(struct pt_regs *ctx)                                \
	{                                                                                          \
		__u64 a1 = REGS_ARG1(ctx), a2 = REGS_ARG2(ctx), a3 = REGS_ARG3(ctx);               \
		(void)a1, (void)a2, (void)a3;                                                      \
		body;                                                                              \
		return 1;                                                                          \
	}
/* `body` has the result as ret. */
#define MULTI_RETURN(function, body)                                                               \
	SEC("kretprobe.multi") int krpm_##function(struct pt_regs *ctx)                            \
	{                                                                                          \
		__u64 ret = REGS_RET(ctx);                                                         \
		(void)ret;                                                                         \
		return body;                                                                       \
	}

/* fentry and fexit see the arguments as an array of u64, the result behind the last one. */
#define FENTRY(function, body)                                                                     \
	SEC("fentry/" #function) int fentry_##function(__u64 *ctx)                                 \
	{                                                                                          \
		ENTRY_ARGS_##function                                                              \
		return body;                                                                       \
	}
#define FEXIT(function, nargs, body)                                                               \
	SEC("fexit/" #function) int fexit_##function(__u64 *ctx)                                   \
	{                                                                                          \
		__u64 ret = ctx[nargs];                                                            \
		(void)ret;                                                                         \
		return body;                                                                       \
	}

#define ENTRY(function, body) MULTI_ENTRY(function, body) FENTRY(function, body)
#define RETURN(function, nargs, body) MULTI_RETURN(function, body) FEXIT(function, nargs, body)

/* By fexit alone: called often and almost always for nothing, or with arguments that only fexit still has. */
#define LEAVE(function, body)                                                                      \
	SEC("fexit/" #function) int fexit_##function(__u64 *ctx)                                   \
	{                                                                                          \
		return body;                                                                       \
	}
#define AROUND(function, enter, leave)                                                             \
	SEC("fentry/" #function) int fentry_##function(__u64 *ctx)                                 \
	{                                                                                          \
		return enter;                                                                      \
	}                                                                                          \
	LEAVE(function, leave)

/* The second argument of mmap_lock's tracepoints was the cgroup's path until 6.13. Loaded at a fixed offset either way: the
 * compiler would compute one, which the verifier refuses of a context. */
#define CTX_ARG(ctx, offset) ({ __u64 arg_; asm volatile("%0 = *(u64 *)(%1 + " #offset ")" : "=r"(arg_) : "r"(ctx)); arg_; })
static __always_inline bool second_arg(__u64 *ctx)
{
	if (mm_tp_path)
		return (_Bool)CTX_ARG(ctx, 16);
	return (_Bool)CTX_ARG(ctx, 8);
}
static __always_inline bool third_arg(__u64 *ctx)
{
	if (mm_tp_path)
		return (_Bool)CTX_ARG(ctx, 24);
	return (_Bool)CTX_ARG(ctx, 16);
}

#endif
