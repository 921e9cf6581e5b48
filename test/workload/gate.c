/* SPDX-License-Identifier: MIT */
/*
 * gate WAITERS ROUNDS: all WAITERS threads fault on one swapped-out page while its swap device is suspended.
 * Truth: in each round exactly WAITERS faults on that page return VM_FAULT_RETRY from __folio_lock_or_retry, under the
 * per-VMA lock, after having slept there together. (Some enter it again in their second pass, under mmap_lock.)
 * Run below `swap-setup gate`: swap on device-mapper's "gate", page-cluster 0, a memory cgroup in $CG.
 */
#include "gate.h"
#include <stdatomic.h>

static char *page;
static char expected;
static pthread_barrier_t ready, start;
static atomic_int wrong;
static pid_t tids[MAX_THREADS];

static void *waiter(void *index)
{
	tids[(long)index] = own_tid();
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&start);
	if (*(volatile char *)page != expected)
		wrong++;
	return NULL;
}

int main(int argc, char **argv)
{
	int waiters = (int)number(argc, argv, 1, 8, 1, MAX_THREADS);
	int rounds = (int)number(argc, argv, 2, 1, 1, 100000);
	pthread_t thread[MAX_THREADS];
	int dm = open_dm();

	page = map_pages(1);
	/* Reclaim would take our text and the threads' stacks too; then they, or we, would stand at the gate for those. */
	must(!mlockall(MCL_CURRENT | MCL_FUTURE), "mlockall");
	must(!munlock(page, PAGE), "munlock");
	for (int round = 0; round < rounds; round++) {
		int asleep;
		*page = expected = (char)(round % 100 + 1);
		swap_out(page);
		pthread_barrier_init(&ready, NULL, (unsigned)waiters + 1);
		pthread_barrier_init(&start, NULL, (unsigned)waiters + 1);
		for (long i = 0; i < waiters; i++)
			thread[i] = start_thread(waiter, (void *)i);
		pthread_barrier_wait(&ready); /* a thread that starts may fault on anything; let that be over */
		set_gate(dm, "gate", 1);
		pthread_barrier_wait(&start);
		asleep = all_asleep(tids, waiters, "folio_wait", 30 + 0.5 * waiters);
		set_gate(dm, "gate", 0);
		for (int i = 0; i < waiters; i++)
			pthread_join(thread[i], NULL);
		pthread_barrier_destroy(&ready);
		pthread_barrier_destroy(&start);
		if (asleep < waiters)
			die(3, "round %d: %d of %d threads reached the wait", round, asleep, waiters);
	}
	if (wrong)
		die(3, "%d reads saw a wrong page", wrong);
	printf("{\"workload\":\"gate\",\"pid\":%d,\"address\":\"%p\",\"waiters\":%d,\"rounds\":%d,\"truth\":%d}\n", getpid(),
	       (void *)page, waiters, rounds, waiters * rounds);
	return 0;
}
