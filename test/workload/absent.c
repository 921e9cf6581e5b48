/* SPDX-License-Identifier: MIT */
/*
 * absent none|stack|denied PAGES: user-mode faults that nothing is mapped for.
 * none, stack: at addresses without a VMA, so lock_vma_under_rcu gives NULL.
 *   none   each page of a range that was unmapped; SIGSEGV is caught
 *   stack  pages below a MAP_GROWSDOWN mapping, one after the other: lock_mm_and_find_vma grows it
 *   denied pages of a PROT_NONE mapping: lock_vma_under_rcu gives the VMA, and access_error() refuses; SIGSEGV is caught
 * Truth: exactly PAGES ABORTs (denied: access errors under the VMA lock), one a page; `address` is the lowest of them.
 */
#include "common.h"
#include <setjmp.h>
#include <signal.h>

/* stack_guard_gap: a stack grows only while this much below it is free (mm/mmap.c), and then some. */
#define GAP (1UL << 21)

static sigjmp_buf back;

static void caught(int signal)
{
	siglongjmp(back, signal);
}

static void touch_nothing(char *region, long pages)
{
	struct sigaction action = { .sa_handler = caught };
	volatile long i, segv = 0;

	must(!sigaction(SIGSEGV, &action, NULL), "sigaction");
	for (i = 0; i < pages; i++) {
		if (!sigsetjmp(back, 1))
			((volatile char *)region)[(size_t)i * PAGE] = 1;
		else
			segv++;
	}
	if (segv != pages)
		die(3, "%ld of %ld touches were caught", segv, pages);
}

static void grow(char *region, long pages)
{
	char *top = region + (size_t)pages * PAGE;
	char *stack = mmap(top, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	must(stack == top, "mmap(MAP_GROWSDOWN)");
	small_pages(stack, PAGE);
	*(volatile char *)stack = 1;
	for (long i = pages - 1; i >= 0; i--)
		((volatile char *)region)[(size_t)i * PAGE] = 1;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	long pages = number(argc, argv, 2, 32, 1, 1024);
	/* Fences on both sides stay, the middle is freed: nobody else's stack or mapping is near. */
	size_t size = (size_t)(pages + 1) * PAGE + 2 * GAP;
	char *all = mmap(NULL, size + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *region = all + PAGE + GAP;

	if (strcmp(mode, "none") && strcmp(mode, "stack") && strcmp(mode, "denied"))
		die(2, "usage: absent none|stack|denied [PAGES]");
	must(all != MAP_FAILED, "mmap");
	if (strcmp(mode, "denied"))
		must(!munmap(all + PAGE, size), "munmap");
	if (strcmp(mode, "stack"))
		touch_nothing(region, pages);
	else
		grow(region, pages);
	printf("{\"workload\":\"absent\",\"mode\":\"%s\",\"pid\":%d,\"address\":\"%p\",\"stride\":%lu,\"truth\":%ld}\n", mode,
	       getpid(), (void *)region, PAGE, pages);
	return 0;
}
