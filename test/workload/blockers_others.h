/* SPDX-License-Identifier: MIT */
/* Kind `others` of `blockers`: readers from outside, get_user_pages, the scanners of ksmd and khugepaged, children that exit. */
#ifndef WORKLOAD_BLOCKERS_OTHERS_H
#define WORKLOAD_BLOCKERS_OTHERS_H

#include "common.h"
#include <stdatomic.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define BLOCK (64 * PAGE)

/* Both are shared with the process outside. */
static atomic_int *over;
static _Atomic pid_t *target; /* the thread that sleeps, once it runs */

/* Sleeps, to be traced. */
static void *sleeper(void *unused)
{
	(void)unused;
	*target = syscall(SYS_gettid);
	while (!*over)
		usleep(100000);
	return NULL;
}

/* get_user_pages of pages that are not there. */
static void *splicer(void *unused)
{
	char *drained = map_pages(BLOCK / PAGE);
	int ends[2];
	char *block = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec from = { block, 16 * PAGE };
	(void)unused;

	must(block != MAP_FAILED && pipe(ends) == 0, "pipe");
	while (!*over) {
		madvise(block, BLOCK, MADV_DONTNEED);
		ssize_t n = vmsplice(ends[1], &from, 1, 0);
		must(n > 0 && read(ends[0], drained, n) == n, "vmsplice");
		usleep(200);
	}
	return NULL;
}

/* Equal pages for ksmd to merge, torn apart again; small pages for khugepaged to collapse. */
static void *feeder(void *unused)
{
	size_t bytes = 8 << 20;
	char *block = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	(void)unused;

	must(block != MAP_FAILED, "mmap");
	madvise(block, bytes, MADV_MERGEABLE);
	while (!*over) {
		for (size_t at = 0; at < 2 * bytes; at += PAGE)
			block[at]++;
		usleep(300000);
		madvise(block + bytes, bytes, MADV_DONTNEED);
		madvise(block + bytes, bytes, MADV_NOHUGEPAGE);
		for (size_t at = bytes; at < 2 * bytes; at += PAGE)
			block[at] = 1;
		madvise(block + bytes, bytes, MADV_HUGEPAGE);
	}
	return NULL;
}

static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);
	must(fd >= 0 && write(fd, value, strlen(value)) > 0, path);
	close(fd);
}

static void wake_scanners(void)
{
	set("/sys/kernel/mm/ksm/sleep_millisecs", "1");
	set("/sys/kernel/mm/ksm/run", "1");
	set("/sys/kernel/mm/transparent_hugepage/enabled", "madvise");
	set("/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs", "1");
}

/* From outside, into memory of VICTIM at FROM: by /proc/PID/mem, and by ptrace of its thread that sleeps. */
static void look_into(pid_t victim, char *buffer, size_t bytes, const char *from)
{
	static int mem = -1, traced;
	char path[64];

	if (mem < 0) {
		snprintf(path, sizeof path, "/proc/%d/mem", victim);
		mem = open(path, O_RDONLY);
		must(mem >= 0, path);
	}
	if (!traced && *target) {
		must(ptrace(PTRACE_ATTACH, *target, 0, 0) == 0 && waitpid(*target, NULL, __WALL) == *target, "ptrace");
		traced = 1;
	}
	must(pread(mem, buffer, bytes, (off_t)(intptr_t)from) == (ssize_t)bytes, "/proc/PID/mem");
	for (int i = 0; traced && i < 100; i++)
		ptrace(PTRACE_PEEKDATA, *target, from + i * PAGE, 0);
	if (*over && traced)
		ptrace(PTRACE_DETACH, *target, 0, 0);
}

/* A child that exits at once (exit_mmap). */
static void let_exit(void)
{
	if (fork() == 0)
		_exit(0);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

#endif
