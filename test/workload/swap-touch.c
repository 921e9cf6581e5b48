/* SPDX-License-Identifier: MIT */
/*
 * swap-touch [ROUNDS [PAGES]]: in the cgroup $CG, swaps PAGES pages out ROUNDS times, touches each again and says what
 * one touch cost. `cpu` is this thread alone; `wall` counts whoever ran meanwhile: on one CPU under QEMU's -icount
 * shift=0 a nanosecond is an instruction, and wall − cpu is what everybody else took for that touch.
 * `out`: pages that were really out of memory when they were touched, of rounds × pages.
 */
#include "common.h"

#define WARM_UP 2
#define MAX_ROUNDS 1000

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static long swapped(char *region, long pages)
{
	static unsigned char resident[1 << 16];
	long out = pages;

	must(!mincore(region, (size_t)pages * PAGE, resident), "mincore");
	for (long i = 0; i < pages; i++)
		out -= resident[i] & 1;
	return out;
}

/* Out of memory, the swap cache included: MADV_PAGEOUT leaves there what is still being written. */
static long swap_out(char *region, long pages)
{
	for (int i = 0; i < 40 && swapped(region, pages) < pages; i++) {
		if (i)
			usleep(5000);
		must(!madvise(region, (size_t)pages * PAGE, MADV_PAGEOUT), "madvise(MADV_PAGEOUT)");
		reclaim(2 * pages);
	}
	return swapped(region, pages);
}

static void print_cost(const char *name, double *cost, long rounds)
{
	qsort(cost, (size_t)rounds, sizeof(*cost), ascending);
	printf(",\"%s\":{\"minNs\":%.1f,\"medianNs\":%.1f}", name, cost[0], cost[rounds / 2]);
}

int main(int argc, char **argv)
{
	long rounds = number(argc, argv, 1, 8, 1, MAX_ROUNDS), pages = number(argc, argv, 2, 256, 1, 1 << 16), out = 0;
	static double wall[MAX_ROUNDS], cpu[MAX_ROUNDS];
	char *region;

	must(!mlockall(MCL_CURRENT), "mlockall"); /* or its own text is reclaimed too */
	region = map_pages(pages);
	for (long round = -WARM_UP; round < rounds; round++) {
		double cpu_begin, begin;
		long gone;

		for (long i = 0; i < pages; i++)
			memset(region + (size_t)i * PAGE, (int)(1 + (i & 63)), PAGE); /* same-filled: what zram does is little and equal */
		gone = swap_out(region, pages);
		cpu_begin = seconds(CLOCK_THREAD_CPUTIME_ID);
		begin = seconds(CLOCK_MONOTONIC);
		MARK(BEGIN);
		for (long i = 0; i < pages; i++)
			(void)((volatile char *)region)[(size_t)i * PAGE];
		MARK(END);
		if (round < 0)
			continue;
		cpu[round] = (seconds(CLOCK_THREAD_CPUTIME_ID) - cpu_begin) * 1e9 / (double)pages;
		wall[round] = (seconds(CLOCK_MONOTONIC) - begin) * 1e9 / (double)pages;
		out += gone;
	}
	printf("{\"workload\":\"swap-touch\",\"pid\":%d,\"pages\":%ld,\"rounds\":%ld,\"out\":%ld", getpid(), pages, rounds, out);
	print_cost("wall", wall, rounds);
	print_cost("cpu", cpu, rounds);
	puts("}");
	return 0;
}
