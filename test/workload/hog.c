/* SPDX-License-Identifier: MIT */
/*
 * hog PERCENT SECONDS: one thread writes to each page of a region of PERCENT % of the machine's memory, over and over, so that
 * all of memory is short and not only that of a cgroup. Says how many rounds and how many of its own major faults that took.
 */
#include "common.h"
#include <sys/resource.h>

int main(int argc, char **argv)
{
	long percent = number(argc, argv, 1, 120, 1, 1000);
	long last = number(argc, argv, 2, 60, 1, 86400);
	long pages = sysconf(_SC_PHYS_PAGES) / 100 * percent;
	char *region = map_pages(pages);
	double begin = seconds(CLOCK_MONOTONIC);
	struct rusage usage;
	long touched = 0;

	while (seconds(CLOCK_MONOTONIC) - begin < (double)last)
		for (long i = 0; i < 256; i++, touched++)
			region[(size_t)(touched % pages) * PAGE]++;
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"workload\":\"hog\",\"pages\":%ld,\"rounds\":%.2f,\"majorFaults\":%ld}\n", pages, (double)touched / (double)pages,
	       usage.ru_majflt);
	return 0;
}
