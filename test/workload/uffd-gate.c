/* SPDX-License-Identifier: MIT */
/*
 * uffd-gate WAITERS ROUNDS: all WAITERS threads fault on one missing page of a userfaultfd region, then one UFFDIO_COPY.
 * Truth: in each round exactly WAITERS faults on that page return VM_FAULT_RETRY from handle_userfault. No disk, no swap.
 */
#include "common.h"
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

static char *page;
static atomic_int wrong;
static pthread_barrier_t start;

static void *waiter(void *expected)
{
	pthread_barrier_wait(&start);
	if (*(volatile char *)page != (char)(intptr_t)expected)
		wrong++;
	return NULL;
}

/* handle_userfault queues itself before it sleeps; a message read is one thread in it. */
static int await_faults(int uffd, int waiters, int limit_ms)
{
	struct pollfd readable = { .fd = uffd, .events = POLLIN };
	struct uffd_msg message;
	int count = 0;
	while (count < waiters) {
		if (read(uffd, &message, sizeof(message)) == sizeof(message)) {
			if (message.event != UFFD_EVENT_PAGEFAULT ||
			    (message.arg.pagefault.address & ~(PAGE - 1)) != (uintptr_t)page)
				die(3, "an event that is not a fault on the page");
			count++;
		} else if (poll(&readable, 1, limit_ms) == 0) {
			break;
		}
	}
	return count;
}

int main(int argc, char **argv)
{
	int waiters = (int)number(argc, argv, 1, 8, 1, MAX_THREADS);
	int rounds = (int)number(argc, argv, 2, 1, 1, 100000);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	pthread_t thread[MAX_THREADS];
	char *region = map_pages(2), *source = map_pages(1);
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);

	must(uffd >= 0, "userfaultfd");
	/* The first anonymous fault of a VMA makes its anon_vma, which alone can be a RETRY (__vmf_anon_prepare). */
	region[0] = 1;
	page = region + PAGE;
	must(!ioctl(uffd, UFFDIO_API, &api), "UFFDIO_API");
	range.range.start = (uintptr_t)region;
	range.range.len = 2 * PAGE;
	must(!ioctl(uffd, UFFDIO_REGISTER, &range), "UFFDIO_REGISTER");
	for (int round = 0; round < rounds; round++) {
		struct uffdio_copy copy = { .dst = (uintptr_t)page, .src = (uintptr_t)source, .len = PAGE };
		long value = round % 100 + 1;
		int caught;
		*source = (char)value;
		must(!madvise(page, PAGE, MADV_DONTNEED), "madvise(MADV_DONTNEED)");
		pthread_barrier_init(&start, NULL, (unsigned)waiters + 1);
		for (int i = 0; i < waiters; i++)
			thread[i] = start_thread(waiter, (void *)(intptr_t)value);
		pthread_barrier_wait(&start);
		caught = await_faults(uffd, waiters, 30000 + 500 * waiters);
		must(!ioctl(uffd, UFFDIO_COPY, &copy), "UFFDIO_COPY");
		for (int i = 0; i < waiters; i++)
			pthread_join(thread[i], NULL);
		pthread_barrier_destroy(&start);
		if (caught < waiters)
			die(3, "round %d: %d of %d threads reached handle_userfault", round, caught, waiters);
	}
	if (wrong)
		die(3, "%d reads saw a wrong page", wrong);
	printf("{\"workload\":\"uffd-gate\",\"pid\":%d,\"address\":\"%p\",\"waiters\":%d,\"rounds\":%d,\"truth\":%d}\n",
	       getpid(), (void *)page, waiters, rounds, waiters * rounds);
	return 0;
}
