/* SPDX-License-Identifier: MIT */
/*
 * A plugin of QEMU's TCG: how often each piece of guest code ran between two marks of a workload (MARK of
 * test/workload/common.h). At each end mark it writes OUT.N, a line for each translated block: address in hex,
 * instructions in it, times it ran.
 *
 *     -plugin profile.so,out=OUT
 *
 * Debian ships no qemu-plugin.h: what is used of its API (version 1, QEMU 4.2 and later) is declared here.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*translated_fn)(uint64_t id, struct qemu_plugin_tb *);
typedef void (*executed_fn)(unsigned int cpu, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_fn);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int op, void *counter, uint64_t more);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, executed_fn, int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);

EXPORT int qemu_plugin_version = 1;

#define BLOCKS (1u << 22) /* a guest that runs Node translates some 200 000 */
static struct block {
	uint64_t address, times, instructions;
} *blocks;
static const char *out;

/* The eight bytes of MARK but for the last, which says which. */
static const unsigned char MARK[7] = { 0x0f, 0x1f, 0x84, 0x00, 'v', 'l', 'k' };
enum { BEGIN = 1, END = 2 };

static void marked(unsigned int cpu, void *which)
{
	static int number;
	char path[4096];
	FILE *file;

	(void)cpu;
	if ((intptr_t)which == BEGIN) {
		for (size_t i = 0; i < BLOCKS; i++)
			blocks[i].times = 0;
		return;
	}
	snprintf(path, sizeof path, "%s.%d", out, number++);
	file = fopen(path, "w");
	if (!file) {
		perror(path);
		exit(1);
	}
	for (size_t i = 0; i < BLOCKS; i++)
		if (blocks[i].times)
			fprintf(file, "%lx %lu %lu\n", blocks[i].address, blocks[i].instructions, blocks[i].times);
	fclose(file);
}

/* QEMU translates the same code many times; a block that was translated anew goes on with its count. */
static struct block *block_of(uint64_t address, size_t instructions)
{
	uint32_t i = (uint32_t)((address * 0x9e3779b97f4a7c15ull + instructions) >> 42);

	while (blocks[i].instructions && (blocks[i].address != address || blocks[i].instructions != instructions))
		i = (i + 1) & (BLOCKS - 1);
	blocks[i].address = address;
	blocks[i].instructions = instructions;
	return &blocks[i];
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, 0, &block_of(qemu_plugin_tb_vaddr(tb), n)->times, 1);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const unsigned char *bytes = qemu_plugin_insn_data(insn);

		if (qemu_plugin_insn_size(insn) == 8 && !memcmp(bytes, MARK, sizeof MARK))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, marked, 0, (void *)(intptr_t)bytes[7]);
	}
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4) != 0) {
		fputs("profile.so: out=FILE is wanted\n", stderr);
		return 1;
	}
	out = strdup(argv[0] + 4);
	blocks = calloc(BLOCKS, sizeof *blocks);
	if (!out || !blocks)
		return 1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
