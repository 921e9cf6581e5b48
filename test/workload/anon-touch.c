/* SPDX-License-Identifier: MIT */
/*
 * anon-touch [ROUNDS [PAGES]]: touches PAGES fresh anonymous pages ROUNDS times and says what one touch cost.
 * Every touch is one ordinary fault. `wall` is CLOCK_MONOTONIC and counts whoever ran meanwhile; `cpu` is this thread
 * alone. Under QEMU's -icount shift=0 a nanosecond is an instruction. The minimum over short rounds is the fault
 * without timer ticks and without other processes; the median says how far from that the usual round was.
 */
#include "common.h"

#define WARM_UP 3

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void print_cost(const char *name, double *cost, long rounds)
{
	qsort(cost, (size_t)rounds, sizeof(*cost), ascending);
	printf(",\"%s\":{\"minNs\":%.1f,\"medianNs\":%.1f}", name, cost[0], cost[rounds / 2]);
}

int main(int argc, char **argv)
{
	long rounds = number(argc, argv, 1, 40, 1, 100000), pages = number(argc, argv, 2, 2048, 1, 1 << 20);
	double *wall = calloc((size_t)rounds, sizeof(*wall)), *cpu = calloc((size_t)rounds, sizeof(*cpu));
	char *region = map_pages(pages);

	must(wall && cpu, "calloc");
	memset(wall, 0, (size_t)rounds * sizeof(*wall)); /* their own faults come before, not within */
	memset(cpu, 0, (size_t)rounds * sizeof(*cpu));
	for (long round = -WARM_UP; round < rounds; round++) {
		double cpu_begin = seconds(CLOCK_THREAD_CPUTIME_ID), begin = seconds(CLOCK_MONOTONIC), end;
		for (long i = 0; i < pages; i++)
			((volatile char *)region)[(size_t)i * PAGE] = 1;
		end = seconds(CLOCK_MONOTONIC);
		if (round >= 0) {
			wall[round] = (end - begin) * 1e9 / (double)pages;
			cpu[round] = (seconds(CLOCK_THREAD_CPUTIME_ID) - cpu_begin) * 1e9 / (double)pages;
		}
		must(!madvise(region, (size_t)pages * PAGE, MADV_DONTNEED), "madvise(MADV_DONTNEED)");
	}
	printf("{\"workload\":\"anon-touch\",\"pid\":%d,\"pages\":%ld,\"rounds\":%ld", getpid(), pages, rounds);
	print_cost("wall", wall, rounds);
	print_cost("cpu", cpu, rounds);
	puts("}");
	return 0;
}
