/* SPDX-License-Identifier: MIT */
/*
 * uffd-gate WAITERS ROUNDS [MODE [WAKES]]: all WAITERS threads fault on one page of a userfaultfd region, then it is resolved.
 *   missing  a read of a page that is not there, then UFFDIO_COPY (the default)
 *   wp       a write to a write-protected page, then UFFDIO_WRITEPROTECT
 *   minor    a read of a page of a memfd that is in its page cache and not mapped here, then UFFDIO_CONTINUE
 * WAKES times (0) they are woken before that, and find the page as it was.
 * Truth: in each round exactly WAITERS faults on that page return VM_FAULT_RETRY from handle_userfault, 1 + WAKES times each, the
 * first time under the VMA lock. No disk, no swap.
 */
#include "uffd.h"
#include <stdatomic.h>

enum mode { MISSING, WP, MINOR, MODES };
static const char *const names[MODES] = { "missing", "wp", "minor" };

static enum mode mode;
static char *page, *source, *alias;
static int uffd;
static atomic_int wrong;
static pthread_barrier_t start;

static void *waiter(void *expected)
{
	pthread_barrier_wait(&start);
	if (mode == WP)
		*(volatile char *)page = (char)(intptr_t)expected;
	else if (*(volatile char *)page != (char)(intptr_t)expected)
		wrong++;
	return NULL;
}

/* handle_userfault queues itself before it sleeps; a message read is one thread in it. */
static int await_faults(int waiters, int limit_ms)
{
	int count = 0;
	while (count < waiters) {
		char *faulted = faulted_page(uffd);
		if (faulted && faulted != page)
			die(3, "a fault that is not on the page");
		if (faulted)
			count++;
		else if (await_fault(uffd, limit_ms) == 0)
			break;
	}
	return count;
}

static void protect(int on)
{
	struct uffdio_writeprotect wp = { .range = { (uintptr_t)page, PAGE }, .mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0 };
	must(!ioctl(uffd, UFFDIO_WRITEPROTECT, &wp), "UFFDIO_WRITEPROTECT");
}

/* The next access to the page shall be one for userfaultfd. */
static void arm(char value)
{
	*source = value;
	if (mode == MINOR)
		*alias = value;
	if (mode == WP) {
		*page = value;
		protect(1);
	} else {
		must(!madvise(page, PAGE, MADV_DONTNEED), "madvise(MADV_DONTNEED)");
	}
}

static void resolve(void)
{
	struct uffdio_copy copy = { .dst = (uintptr_t)page, .src = (uintptr_t)source, .len = PAGE };
	struct uffdio_continue present = { .range = { (uintptr_t)page, PAGE } };
	if (mode == MISSING)
		must(!ioctl(uffd, UFFDIO_COPY, &copy), "UFFDIO_COPY");
	else if (mode == MINOR)
		must(!ioctl(uffd, UFFDIO_CONTINUE, &present), "UFFDIO_CONTINUE");
	else
		protect(0);
}

static void wake(void)
{
	must(!ioctl(uffd, UFFDIO_WAKE, &(struct uffdio_range){ (uintptr_t)page, PAGE }), "UFFDIO_WAKE");
}

static void make_region(void)
{
	char *region = map_pages(2);

	if (mode == MINOR) {
		int fd = memfd_create("uffd-gate", MFD_CLOEXEC);
		must(fd >= 0 && !ftruncate(fd, 2 * PAGE), "memfd");
		region = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		alias = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) + PAGE;
		must(region != MAP_FAILED && alias != MAP_FAILED + PAGE, "mmap");
	}
	source = map_pages(1);
	/* The first anonymous fault of a VMA makes its anon_vma, which alone can be a RETRY (__vmf_anon_prepare). */
	region[0] = 1;
	page = region + PAGE;
	register_uffd(uffd, region, 2 * PAGE,
		      mode == WP ? UFFDIO_REGISTER_MODE_WP :
		      mode == MINOR ? UFFDIO_REGISTER_MODE_MINOR : UFFDIO_REGISTER_MODE_MISSING);
}

int main(int argc, char **argv)
{
	int waiters = (int)number(argc, argv, 1, 8, 1, MAX_THREADS);
	int rounds = (int)number(argc, argv, 2, 1, 1, 100000);
	int wakes = (int)number(argc, argv, 4, 0, 0, 100000);
	pthread_t thread[MAX_THREADS];

	while (argc > 3 && mode < MODES && strcmp(argv[3], names[mode]))
		mode++;
	if (mode == MODES)
		die(2, "usage: uffd-gate [WAITERS [ROUNDS [missing|wp|minor [WAKES]]]]");
	uffd = open_uffd(UFFD_USER_MODE_ONLY);
	make_region();
	for (int round = 0; round < rounds; round++) {
		long value = round % 100 + 1;
		int caught;
		arm((char)value);
		pthread_barrier_init(&start, NULL, (unsigned)waiters + 1);
		for (int i = 0; i < waiters; i++)
			thread[i] = start_thread(waiter, (void *)(intptr_t)value);
		pthread_barrier_wait(&start);
		caught = await_faults(waiters, 30000 + 500 * waiters);
		for (int i = 0; i < wakes && caught == waiters; i++) {
			wake();
			caught = await_faults(waiters, 30000 + 500 * waiters);
		}
		resolve();
		for (int i = 0; i < waiters; i++)
			pthread_join(thread[i], NULL);
		pthread_barrier_destroy(&start);
		if (caught < waiters)
			die(3, "round %d: %d of %d threads reached handle_userfault", round, caught, waiters);
	}
	if (wrong)
		die(3, "%d reads saw a wrong page", wrong);
	printf("{\"workload\":\"uffd-gate\",\"mode\":\"%s\",\"pid\":%d,\"address\":\"%p\",\"stride\":0,\"waiters\":%d,"
	       "\"rounds\":%d,\"wakes\":%d,\"truth\":%d}\n",
	       names[mode], getpid(), (void *)page, waiters, rounds, wakes, waiters * rounds);
	return 0;
}
