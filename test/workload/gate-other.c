/* SPDX-License-Identifier: MIT */
/*
 * gate-other WAITERS: all WAITERS threads fault on a swapped-out page whose folio is up to date and locked by somebody
 * who is not reading it. The swap device stands still while the page is written out, so its folio stays in the swap cache
 * under writeback; a child calls madvise(MADV_SOFT_OFFLINE), which locks that folio and waits for the writeback
 * (soft_offline_in_use_page). It costs the machine one page of memory until it reboots.
 * Truth: exactly WAITERS RETRYs from __folio_lock_or_retry at `address`, none with MAJOR, the folio up to date.
 * Below `swap-setup gate`.
 */
#include "gate.h"
#include <stdatomic.h>
#include <stdint.h>
#include <sys/wait.h>

#ifndef MADV_SOFT_OFFLINE /* glibc does not name it */
#define MADV_SOFT_OFFLINE 101
#endif

static char *page;
static int dm;
static pid_t tids[MAX_THREADS];
static pthread_barrier_t ready, start, done;
static atomic_int wrong;

static void *waiter(void *index)
{
	tids[(long)index] = own_tid();
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&start);
	if (*(volatile char *)page != 42)
		wrong++;
	pthread_barrier_wait(&done);
	return NULL;
}

static void open_gate(void)
{
	set_gate(dm, "gate", 0);
}

static int swapped(void)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	must(pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)page / PAGE * sizeof(entry))) == sizeof(entry), "pagemap");
	close(fd);
	return entry >> 62 & 1; /* Documentation/admin-guide/mm/pagemap.rst */
}

int main(int argc, char **argv)
{
	int waiters = (int)number(argc, argv, 1, 8, 1, MAX_THREADS), status = 0;
	pthread_t thread[MAX_THREADS];
	pid_t child;

	dm = open_dm();
	page = map_fenced(1);
	pthread_barrier_init(&ready, NULL, (unsigned)waiters + 1);
	pthread_barrier_init(&start, NULL, (unsigned)waiters + 1);
	pthread_barrier_init(&done, NULL, (unsigned)waiters + 1);
	for (long i = 0; i < waiters; i++)
		thread[i] = start_thread(waiter, (void *)i);
	pthread_barrier_wait(&ready);
	must(!mlockall(MCL_CURRENT), "mlockall");
	must(!munlock(page, PAGE), "munlock");
	*page = 42;
	put("/proc/sys/vm/drop_caches", "1"); /* drains LRU batches, which hold a reference on the page */
	let_go = open_gate;
	set_gate(dm, "gate", 1);
	for (int i = 0; i < 200 && !swapped(); i++) {
		must(!madvise(page, PAGE, MADV_PAGEOUT), "madvise(MADV_PAGEOUT)");
		usleep(10000);
	}
	if (!swapped()) {
		open_gate();
		die(3, "the page stays mapped");
	}
	child = fork();
	if (!child)
		_exit(madvise(page, PAGE, MADV_SOFT_OFFLINE) ? errno : 0);
	if (!all_asleep(&child, 1, "folio_wait", 20)) { /* it sleeps before that, for the LRU batches of all CPUs */
		open_gate();
		waitpid(child, &status, 0);
		die(3, "MADV_SOFT_OFFLINE did not wait: %s", strerror(WEXITSTATUS(status)));
	}
	pthread_barrier_wait(&start);
	must_sleep(tids, waiters, "folio_wait");
	open_gate();
	pthread_barrier_wait(&done);
	for (int i = 0; i < waiters; i++)
		pthread_join(thread[i], NULL);
	waitpid(child, &status, 0);
	if (wrong)
		die(3, "%d reads saw a wrong page", wrong);
	printf("{\"workload\":\"gate-other\",\"pid\":%d,\"address\":\"%p\",\"stride\":0,\"truth\":%d}\n", getpid(), (void *)page,
	       waiters);
	return 0;
}
