/* SPDX-License-Identifier: MIT */
/*
 * migrate THREADS SECONDS: one thread moves pages between two NUMA nodes and back (move_pages(2)), while THREADS threads
 * read them without a system call. A thread that meets a page under way waits in migration_entry_wait, the VMA lock held.
 * Truth: at least `slept` such waits (voluntary context switches of threads that make no system call), at most `faults`
 * (minor faults of those threads; the kernel counts each at most once). None of them a RETRY. Fails if nobody slept.
 * Needs two nodes: numa=fake=2 on the kernel command line.
 */
#include "gate.h"
#include <linux/mempolicy.h>
#include <stdatomic.h>
#include <sys/resource.h>

#define PAGES 512

static char *region;
static atomic_int stop, running;
static atomic_long slept, faults;

static void *reader(void *index)
{
	struct rusage before, after;
	long sum = (long)index;
	for (long i = 0; i < PAGES; i++)
		sum += ((volatile char *)region)[(size_t)i * PAGE];
	getrusage(RUSAGE_THREAD, &before);
	running++;
	while (!stop)
		for (long i = 0; i < PAGES; i++)
			sum += ((volatile char *)region)[(size_t)i * PAGE];
	getrusage(RUSAGE_THREAD, &after);
	slept += after.ru_nvcsw - before.ru_nvcsw;
	faults += after.ru_minflt - before.ru_minflt;
	return (void *)sum;
}

int main(int argc, char **argv)
{
	long threads = number(argc, argv, 1, 2, 1, 64), limit = number(argc, argv, 2, 3, 1, 3600), moved = 0;
	static int nodes[PAGES], status[PAGES];
	static void *page[PAGES];
	pthread_t thread[64];
	double end;

	region = map_fenced(PAGES);
	for (long i = 0; i < PAGES; i++) {
		page[i] = region + (size_t)i * PAGE;
		*(char *)page[i] = 1;
	}
	must(!mlockall(MCL_CURRENT), "mlockall");
	must(!munlock(region, PAGES * PAGE), "munlock");
	for (long i = 0; i < threads; i++)
		thread[i] = start_thread(reader, (void *)i);
	while (running < threads)
		usleep(1000);
	end = seconds(CLOCK_MONOTONIC) + (double)limit;
	for (int node = 1; seconds(CLOCK_MONOTONIC) < end; node ^= 1) {
		for (long i = 0; i < PAGES; i++)
			nodes[i] = node;
		if (syscall(SYS_move_pages, 0, PAGES, page, nodes, status, MPOL_MF_MOVE) < 0) {
			stop = 1;
			die(errno == ENODEV ? 2 : 3, "move_pages: %s", strerror(errno));
		}
		for (long i = 0; i < PAGES; i++)
			moved += status[i] == node;
	}
	stop = 1;
	for (long i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	if (!slept)
		die(3, "nobody met a page under way (%ld moved)", moved);
	printf("{\"workload\":\"migrate\",\"pid\":%d,\"moved\":%ld,\"slept\":%ld,\"faults\":%ld}\n", getpid(), moved, (long)slept,
	       (long)faults);
	return 0;
}
