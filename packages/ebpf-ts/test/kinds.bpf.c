// SPDX-License-Identifier: GPL-2.0-only
/* One program for every way of attaching; each counts its runs and keeps the cookie it was attached with. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include <stdbool.h>
#include <linux/errno.h>
#include <linux/ptrace.h>
#include <bpf/usdt.bpf.h>

char LICENSE[] SEC("license") = "GPL";

#if defined(__TARGET_ARCH_arm64)
#define SYS "__arm64_sys_"
#else
#define SYS "__x64_sys_"
#endif
#define CORE __attribute__((preserve_access_index))
struct bpf_map;
struct seq_file;
struct bpf_iter_meta { struct seq_file *seq; } CORE;
struct bpf_iter__bpf_map_elem { struct bpf_iter_meta *meta; struct bpf_map *map; void *key; void *value; } CORE;

enum kind { KPROBE, KRETPROBE, MULTI, SESSION, FENTRY, FEXIT, RAW_TP, TP_BTF, TP, UPROBE, URETPROBE, PERF, CGROUP, XDP, TC, USDT, KINDS };
enum kind *unused_kind;

struct point { int x; short y[2]; char name[6]; unsigned low : 3, high : 7; union { __u32 whole; __u8 part[4]; }; };

__u64 runs[KINDS];
__u64 cookies[KINDS];
const volatile __s16 knob = -1;
const volatile struct point origin = { .x = 7, .y = { 1, -2 }, .name = "origin", .low = 5, .high = 100, .whole = 0x01020304 };
struct point moved;
_Bool flag;

struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 64); __type(key, struct point); __type(value, struct point); } points SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 64); __type(key, __u32); __type(value, __u64); } numbers SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_TASK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int); __type(value, __u64); } of_task SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 65536); } ring SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_USER_RINGBUF); __uint(max_entries, 65536); } to_kernel SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __type(key, int); __type(value, int); } perf SEC(".maps");

static __always_inline int ran(void *ctx, enum kind kind)
{
	__sync_fetch_and_add(&runs[kind], 1);
	if (ctx)
		cookies[kind] = bpf_get_attach_cookie(ctx);
	return 0;
}

SEC("kprobe") int on_kprobe(void *ctx) { return ran(ctx, KPROBE); }
SEC("kretprobe") int on_kretprobe(void *ctx) { return ran(ctx, KRETPROBE); }
SEC("kprobe.multi") int on_multi(void *ctx) { return ran(ctx, MULTI); }
SEC("?kprobe/session") int on_session(void *ctx) { return ran(ctx, SESSION); }
SEC("fentry/" SYS "openat") int on_fentry(void *ctx) { return ran(ctx, FENTRY); }
SEC("fexit/" SYS "openat") int on_fexit(void *ctx) { return ran(ctx, FEXIT); }
SEC("raw_tp") int on_raw_tp(void *ctx) { return ran(0, RAW_TP); }
SEC("tp_btf/sched_process_fork") int on_tp_btf(void *ctx) { return ran(0, TP_BTF); }
SEC("tracepoint") int on_tp(void *ctx) { return ran(ctx, TP); }
SEC("uprobe") int on_uprobe(void *ctx) { return ran(ctx, UPROBE); }
SEC("uretprobe") int on_uretprobe(void *ctx) { return ran(ctx, URETPROBE); }
SEC("perf_event") int on_perf(void *ctx) { return ran(ctx, PERF); }
SEC("cgroup_skb/egress") int on_cgroup(void *ctx) { ran(0, CGROUP); return 1; }
SEC("xdp") int on_xdp(void *ctx) { ran(0, XDP); return XDP_PASS; }
SEC("tc") int on_tc(void *ctx) { ran(0, TC); return -1; /* TCX_NEXT */ }

SEC("usdt") int on_usdt(struct pt_regs *ctx) { ran(0, USDT); cookies[USDT] = bpf_usdt_cookie(ctx); return 0; }

SEC("iter/bpf_map_elem") int on_elem(struct bpf_iter__bpf_map_elem *ctx)
{
	__u32 *key = ctx->key;
	__u64 *value = ctx->value;

	if (key && value)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%u=%llu\n", *key, *value);
	return 0;
}

static long on_sample(struct bpf_dynptr *sample, void *ctx)
{
	__u64 n = 0;

	bpf_dynptr_read(&n, sizeof n, sample, 0, 0);
	bpf_ringbuf_output(&ring, &n, sizeof n, 0);
	return 0;
}
SEC("raw_tp") int drain(void *ctx)
{
	return bpf_user_ringbuf_drain(&to_kernel, on_sample, 0, 0);
}
SEC("tracepoint") int to_perf(void *ctx)
{
	__u64 n = bpf_get_current_pid_tgid() >> 32;

	bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &n, sizeof n);
	return 0;
}
