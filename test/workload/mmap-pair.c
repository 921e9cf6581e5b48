/* SPDX-License-Identifier: MIT */
/*
 * mmap-pair [ROUNDS [PAIRS]]: maps two pages and unmaps them, PAIRS times a round, and says what one pair cost this
 * thread. Nobody else uses the mm: a writer of mmap_lock whom nobody waits for.
 */
#include "common.h"

#define WARM_UP 3
#define MAX_ROUNDS 10000

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	long rounds = number(argc, argv, 1, 100, 1, MAX_ROUNDS), pairs = number(argc, argv, 2, 64, 1, 1 << 20);
	static double cpu[MAX_ROUNDS];

	for (long round = -WARM_UP; round < rounds; round++) {
		double begin = seconds(CLOCK_THREAD_CPUTIME_ID);

		MARK(BEGIN);
		for (long i = 0; i < pairs; i++) {
			void *region = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			must(region != MAP_FAILED, "mmap");
			must(!munmap(region, 2 * PAGE), "munmap");
		}
		MARK(END);
		if (round >= 0)
			cpu[round] = (seconds(CLOCK_THREAD_CPUTIME_ID) - begin) * 1e9 / (double)pairs;
	}
	qsort(cpu, (size_t)rounds, sizeof(*cpu), ascending);
	printf("{\"workload\":\"mmap-pair\",\"pid\":%d,\"pages\":%ld,\"rounds\":%ld,\"cpu\":{\"minNs\":%.1f,\"medianNs\":%.1f}}\n",
	       getpid(), pairs, rounds, cpu[0], cpu[rounds / 2]);
	return 0;
}
