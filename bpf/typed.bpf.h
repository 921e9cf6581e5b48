/* SPDX-License-Identifier: GPL-2.0-only */
/* Pointers that the verifier knows the type of. */
#ifndef VMALOCKTOP_TYPED_BPF_H
#define VMALOCKTOP_TYPED_BPF_H

#include "compat.bpf.h"

/*
 * A number as a pointer whose type the verifier knows, so that its fields are plain loads: bpf_probe_read_kernel takes a hundred
 * instructions for each. Loads through it may fault, and give 0 then.
 */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __weak __ksym;
#define TYPED(type, number) ((struct type *)bpf_rdonly_cast((const void *)(number), bpf_core_type_id_kernel(struct type)))
/* `direct`: the pointer has such a type. */
#define FIELD(p, field, direct) ((direct) ? (p)->field : BPF_CORE_READ(p, field))

/* Arithmetic on a pointer is refused, so it is made a number through memory. `slot`: eight bytes to write to. */
#define NUMBER(slot, pointer) (*(volatile __u64 *)&(slot) = (__u64)(pointer))
#define NUMBER_OF(slot, pointer) ({ NUMBER(slot, pointer); *(volatile __u64 *)&(slot); })

#endif
