/* SPDX-License-Identifier: MIT */
/*
 * swapload MODE [THREADS [PAGES [SECONDS [ROUNDS]]]]: page faults of one kind for some seconds; says what it did.
 * swap goes on for as many ROUNDS as well, each PAGES faults or more, where the seconds did not suffice.
 *   swap   all threads walk pages that were all swapped out before      RETRY from __folio_lock_or_retry
 *   storm  first touches while two threads change the VMA's flags       lock_vma_under_rcu finds a write-locked VMA
 *   touch  each touch is the first of a new VMA, beside mapping         RETRY from __vmf_anon_prepare
 *   uffd   missing pages of a userfaultfd region, filled one by one     RETRY from handle_userfault
 *   fork   parent and child write all pages after each fork             copy on write, hardly a RETRY
 * swap needs `swap-setup disk|zram|gate`: swap, page-cluster 0, a memory cgroup in $CG.
 */
#include "uffd.h"
#include <stdatomic.h>
#include <sys/wait.h>

static char *region;
static long threads, pages;
static double limit, begin;
static long least;
static atomic_int stop;
static atomic_long touches, rounds;
static pthread_barrier_t turn;
static pthread_t worker[MAX_THREADS];

static int time_left(void)
{
	return seconds(CLOCK_MONOTONIC) - begin < limit;
}

static void wait_out(void)
{
	while (time_left())
		usleep(10000);
	stop = 1;
}

static void start_workers(void *(*body)(void *))
{
	for (long i = 0; i < threads; i++)
		worker[i] = start_thread(body, (void *)i);
}

static void join_workers(void)
{
	for (long i = 0; i < threads; i++)
		pthread_join(worker[i], NULL);
}

/* Odd threads write, even ones read: write faults also take the page out of the swap cache. */
static void *walk(void *index)
{
	long id = (long)index;
	for (;;) {
		pthread_barrier_wait(&turn);
		if (stop)
			return NULL;
		for (long i = 0; i < pages; i++) {
			volatile char *byte = region + (size_t)i * PAGE + (size_t)(id % (long)PAGE);
			if (id & 1)
				(*byte)++;
			else
				(void)*byte;
		}
		touches += pages;
		pthread_barrier_wait(&turn);
	}
}

static void swap(void)
{
	unsigned x = 12345;
	/* Pages must differ, or zswap and 6.12's zeromap keep them from the device. */
	for (size_t i = 0; i < (size_t)pages * PAGE / sizeof(unsigned); i++)
		((unsigned *)region)[i] = i & 1 ? (x = x * 1664525 + 1013904223) : (unsigned)i;
	pthread_barrier_init(&turn, NULL, (unsigned)threads + 1);
	start_workers(walk);
	begin = seconds(CLOCK_MONOTONIC);
	while (time_left() || rounds < least) {
		must(!madvise(region, (size_t)pages * PAGE, MADV_PAGEOUT), "madvise(MADV_PAGEOUT)");
		/* MADV_PAGEOUT leaves clean folios in the swap cache; reclaim takes them out when their writeback is done. */
		for (int i = 0; i < 20 && resident(region, pages) > pages / 50; i++) {
			reclaim(pages);
			usleep(5000);
		}
		pthread_barrier_wait(&turn);
		pthread_barrier_wait(&turn);
		rounds++;
	}
	stop = 1;
	pthread_barrier_wait(&turn);
	join_workers();
}

/* Each thread its own share: touch it, give it back. */
static void *touch_share(void *index)
{
	long share = pages / threads;
	char *mine = region + (size_t)((long)index * share) * PAGE;
	while (!stop) {
		for (long i = 0; i < share; i++)
			((volatile char *)mine)[(size_t)i * PAGE]++;
		touches += share;
		madvise(mine, (size_t)share * PAGE, MADV_DONTNEED);
		rounds++;
	}
	return NULL;
}

/* A flag's change write-locks the touched VMA (vma_start_write); mapping takes mmap_lock for writing. */
static void *change_flags(void *unused)
{
	for (int i = 0; !stop; i++) {
		char *other = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		madvise(region, (size_t)pages * PAGE, i & 1 ? MADV_DONTFORK : MADV_DOFORK);
		if (other != MAP_FAILED)
			munmap(other, 16 * PAGE);
	}
	return unused;
}

static void storm(void)
{
	pthread_t writer[2];
	for (int i = 0; i < 2; i++)
		writer[i] = start_thread(change_flags, NULL);
	start_workers(touch_share);
	wait_out();
	for (int i = 0; i < 2; i++)
		pthread_join(writer[i], NULL);
	join_workers();
}

/* The inaccessible page behind keeps the next mapping from being merged, so each VMA is new and has no anon_vma. */
static void *touch_new(void *unused)
{
	while (!stop) {
		char *one = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		char *fence = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		must(one != MAP_FAILED && fence != MAP_FAILED, "mmap");
		*(volatile char *)one = 1;
		touches++;
		munmap(one, PAGE);
		munmap(fence, PAGE);
		rounds++;
	}
	return unused;
}

static void *map_and_protect(void *unused)
{
	while (!stop) {
		char *other = mmap(NULL, 256 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (other == MAP_FAILED)
			continue;
		mprotect(other, 16 * PAGE, PROT_READ);
		munmap(other, 256 * PAGE);
	}
	return unused;
}

static void touch(void)
{
	pthread_t writer = start_thread(map_and_protect, NULL);
	start_workers(touch_new);
	wait_out();
	pthread_join(writer, NULL);
	join_workers();
}

static void *fill_missing(void *descriptor)
{
	int uffd = (int)(intptr_t)descriptor;
	char *source = map_pages(1);
	memset(source, 7, PAGE);
	while (await_fault(uffd, 100) >= 0 && stop < 2) {
		char *page = faulted_page(uffd);
		if (page)
			fill_page(uffd, page, source);
	}
	return NULL;
}

static void uffd(void)
{
	int fd = open_uffd(UFFD_USER_MODE_ONLY);
	pthread_t filler;

	register_uffd(fd, region, (size_t)pages * PAGE, UFFDIO_REGISTER_MODE_MISSING);
	filler = start_thread(fill_missing, (void *)(intptr_t)fd);
	start_workers(touch_share);
	wait_out();
	join_workers(); /* they still need the filler for what they are touching */
	stop = 2;
	pthread_join(filler, NULL);
}

static void write_all(void)
{
	for (long i = 0; i < pages; i++)
		((volatile char *)region)[(size_t)i * PAGE]++;
}

static void fork_and_write(void)
{
	write_all();
	while (time_left()) {
		pid_t child = fork();
		must(child >= 0, "fork");
		write_all();
		if (!child)
			_exit(0);
		waitpid(child, NULL, 0);
		touches += 2 * pages;
		rounds++;
	}
}

static const struct { const char *name; void (*run)(void); } modes[] = {
	{ "swap", swap }, { "storm", storm }, { "touch", touch }, { "uffd", uffd }, { "fork", fork_and_write },
};

int main(int argc, char **argv)
{
	threads = number(argc, argv, 2, 4, 1, MAX_THREADS);
	pages = number(argc, argv, 3, 4096, 1, 1 << 20);
	limit = (double)number(argc, argv, 4, 5, 1, 86400);
	least = number(argc, argv, 5, 0, 0, 1 << 20);
	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(*modes); i++) {
		if (strcmp(argv[1], modes[i].name))
			continue;
		if (pages < threads)
			die(2, "fewer pages than threads");
		/* Before the region is mapped: reclaim shall find the region, not our text. */
		must(!mlockall(MCL_CURRENT), "mlockall");
		region = map_pages(pages);
		begin = seconds(CLOCK_MONOTONIC);
		modes[i].run();
		printf("{\"workload\":\"swapload\",\"mode\":\"%s\",\"pid\":%d,\"threads\":%ld,\"pages\":%ld,\"seconds\":%.3f,"
		       "\"rounds\":%ld,\"touches\":%ld}\n",
		       argv[1], getpid(), threads, pages, seconds(CLOCK_MONOTONIC) - begin, (long)rounds, (long)touches);
		return 0;
	}
	fprintf(stderr, "usage: swapload swap|storm|touch|uffd|fork [THREADS [PAGES [SECONDS [ROUNDS]]]]\n");
	return 2;
}
