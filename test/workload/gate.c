/* SPDX-License-Identifier: MIT */
/*
 * gate WAITERS ROUNDS: all WAITERS threads fault on one swapped-out page while its swap device is suspended.
 * Truth: in each round exactly WAITERS faults on that page return VM_FAULT_RETRY from __folio_lock_or_retry, under the
 * per-VMA lock, after having slept there together. (Some enter it again in their second pass, under mmap_lock.)
 * Run below `swap-setup gate`: swap on device-mapper's "gate", page-cluster 0, a memory cgroup in $CG.
 */
#include "common.h"
#include <linux/dm-ioctl.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

static char *page;
static char expected;
static pthread_barrier_t ready, start;
static atomic_int wrong;
static pid_t tids[MAX_THREADS];
static int dm;

/* By ioctl, not by dmsetup: nothing has to be loaded from disk while the disk stands still. */
static void gate(int closed)
{
	struct dm_ioctl request = { .version = { DM_VERSION_MAJOR, 0, 0 }, .data_size = sizeof(request) };
	if (closed) /* no flush: reads shall wait in the device, not be waited for */
		request.flags = DM_SUSPEND_FLAG | DM_NOFLUSH_FLAG | DM_SKIP_LOCKFS_FLAG;
	strcpy(request.name, "gate");
	must(!ioctl(dm, DM_DEV_SUSPEND, &request), closed ? "dm suspend gate" : "dm resume gate");
}

static void *waiter(void *index)
{
	tids[(long)index] = (pid_t)syscall(SYS_gettid);
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&start);
	if (*(volatile char *)page != expected)
		wrong++;
	return NULL;
}

/* Sleeps the thread uninterruptibly (TASK_KILLABLE shows as D too), and where names are readable, for a folio? */
static int waits_for_folio(pid_t tid)
{
	char path[64], text[256];
	const char *state;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	state = strrchr(text, ')'); /* the name before it may hold anything */
	if (!state || state[1] != ' ' || state[2] != 'D')
		return 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/wchan", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return n <= 0 || !strcmp(text, "0") || strstr(text, "folio_wait") != NULL;
}

/* Waits until all are asleep in the kernel; how many were after at most LIMIT seconds. */
static int all_waiting(int waiters, double limit)
{
	double end = seconds(CLOCK_MONOTONIC) + limit;
	int asleep;
	do {
		asleep = 0;
		usleep(20000);
		while (asleep < waiters && waits_for_folio(tids[asleep]))
			asleep++;
	} while (asleep < waiters && seconds(CLOCK_MONOTONIC) < end);
	return asleep;
}

static void swap_out(void)
{
	for (int i = 0; i < 500; i++) {
		madvise(page, PAGE, MADV_PAGEOUT);
		reclaim(16);
		if (!resident(page, 1))
			return;
		usleep(10000);
		if (i % 20 == 19) /* drains other CPUs' LRU batches, which hold a reference on the page */
			put("/proc/sys/vm/drop_caches", "1");
	}
	die(3, "the page stays resident");
}

int main(int argc, char **argv)
{
	int waiters = (int)number(argc, argv, 1, 8, 1, MAX_THREADS);
	int rounds = (int)number(argc, argv, 2, 1, 1, 100000);
	pthread_t thread[MAX_THREADS];

	dm = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	must(dm >= 0, "/dev/mapper/control");
	page = map_pages(1);
	/* Reclaim would take our text and the threads' stacks too; then they, or we, would stand at the gate for those. */
	must(!mlockall(MCL_CURRENT | MCL_FUTURE), "mlockall");
	must(!munlock(page, PAGE), "munlock");
	for (int round = 0; round < rounds; round++) {
		int asleep;
		*page = expected = (char)(round % 100 + 1);
		swap_out();
		pthread_barrier_init(&ready, NULL, (unsigned)waiters + 1);
		pthread_barrier_init(&start, NULL, (unsigned)waiters + 1);
		for (long i = 0; i < waiters; i++)
			thread[i] = start_thread(waiter, (void *)i);
		pthread_barrier_wait(&ready); /* a thread that starts may fault on anything; let that be over */
		gate(1);
		pthread_barrier_wait(&start);
		asleep = all_waiting(waiters, 30 + 0.5 * waiters);
		gate(0);
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
