/* SPDX-License-Identifier: MIT */
/*
 * policy KIND [ROUNDS [THREADS [PAGES [DEVICE]]]]: in each round THREADS walk PAGES pages each, all of which have to be waited
 * for, beside a writer of some sort; says what touches and writer's calls took by the guest's own clock.
 *   walk   swapped-out pages, nobody beside
 *   storm  swapped-out pages; a thread maps, touches and unmaps blocks: short holds of mmap_lock
 *   hold   swapped-out pages; a thread changes the protection of 128 MiB: long holds of mmap_lock, of another VMA
 *   same   swapped-out pages; a thread changes flags of their own VMA
 *   fork   pages of DEVICE that are not in the page cache; the process, of 100 VMAs more, forks
 *   uffd   missing pages, each filled by a handler 1 ms after it was asked for
 * Kinds with swapped-out pages need `swap-setup`: swap, page-cluster 0, a memory cgroup in $CG.
 */
#include "uffd.h"
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>

#define MAX_WALKERS 64
/* Pages of a file are touched so far apart that mapping those around a fault does not spare the next one. */
#define FILE_STRIDE 16
#define HELD_PAGES 32768

struct sum {
	double all, most;
	long calls;
};

static enum { WALK, STORM, HOLD, SAME, FORK, UFFD, KINDS } kind;
static const char *const names[KINDS] = { "walk", "storm", "hold", "same", "fork", "uffd" };
static long rounds, threads, pages, stride = 1;
static char *region, *held;
static size_t length;
static int device = -1, uffd = -1;
static atomic_int walking, over;
static pthread_barrier_t turn;
static struct sum touches[MAX_WALKERS], writes;

static void add(struct sum *sum, double since)
{
	double took = seconds(CLOCK_MONOTONIC) - since;
	sum->all += took;
	sum->calls++;
	if (took > sum->most)
		sum->most = took;
}

/*
 * Walkers share the first CPU, where their reads complete; what is beside them has the last one. Where threads may go anywhere,
 * a read completes now behind a system call of 40 ms and now not, and runs of one workload differ by six times.
 */
static void stay_on(long cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	must(!sched_setaffinity(0, sizeof one, &one), "sched_setaffinity");
}

static void *walk(void *index)
{
	long id = (long)index;

	stay_on(0);
	for (long round = 0; round < rounds; round++) {
		pthread_barrier_wait(&turn);
		for (long i = 0; i < pages; i++) {
			volatile char *byte = region + (size_t)(i * threads + id) * (size_t)stride * PAGE;
			double since = seconds(CLOCK_MONOTONIC);

			if (kind == FORK)
				(void)*byte;
			else
				*byte += 1;
			add(&touches[id], since);
		}
		pthread_barrier_wait(&turn);
	}
	return NULL;
}

static void write_once(long n)
{
	double since = seconds(CLOCK_MONOTONIC);

	if (kind == STORM) {
		char *block = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		must(block != MAP_FAILED, "mmap");
		add(&writes, since);
		for (size_t at = 0; at < 64 * PAGE; at += PAGE)
			block[at] = 1;
		since = seconds(CLOCK_MONOTONIC);
		munmap(block, 64 * PAGE);
	} else if (kind == HOLD) {
		must(!mprotect(held, HELD_PAGES * PAGE, n & 1 ? PROT_READ | PROT_WRITE : PROT_READ), "mprotect");
	} else if (kind == SAME) {
		must(!madvise(region, length, n & 1 ? MADV_DOFORK : MADV_DONTFORK), "madvise");
	} else {
		pid_t child = fork();

		must(child >= 0, "fork");
		if (!child)
			_exit(0);
		add(&writes, since);
		waitpid(child, NULL, 0);
		return;
	}
	add(&writes, since);
}

static void *writer(void *unused)
{
	long n = 0;

	(void)unused;
	stay_on(sysconf(_SC_NPROCESSORS_ONLN) - 1);
	while (!over) {
		if (walking)
			write_once(n++);
		usleep(kind == FORK ? 2000 : 500);
	}
	return NULL;
}

static void *handler(void *unused)
{
	char *source = map_pages(1);

	(void)unused;
	stay_on(sysconf(_SC_NPROCESSORS_ONLN) - 1);
	*source = 1;
	while (!over) {
		char *page;

		if (await_fault(uffd, 10) <= 0)
			continue;
		/* What is asked for elsewhere meanwhile is filled right after: a handler has a queue of its own. */
		usleep(1000);
		while ((page = faulted_page(uffd)))
			fill_page(uffd, page, source);
	}
	return NULL;
}

static void make_region(const char *path)
{
	stride = kind == FORK ? FILE_STRIDE : 1;
	length = (size_t)(threads * pages * stride) * PAGE;
	if (kind != FORK) {
		region = map_pages(threads * pages * stride);
	} else {
		device = open(path, O_RDONLY | O_CLOEXEC);
		must(device >= 0, path);
		region = mmap(NULL, length, PROT_READ, MAP_SHARED, device, 0);
		must(region != MAP_FAILED, path);
		must(!madvise(region, length, MADV_RANDOM), "madvise(MADV_RANDOM)");
	}
	if (kind == UFFD) {
		/* The first anonymous fault of a VMA makes its anon_vma, which alone can be a RETRY (__vmf_anon_prepare). */
		region[0] = 1;
		uffd = open_uffd(0);
		register_uffd(uffd, region, length, UFFDIO_REGISTER_MODE_MISSING);
	}
}

/* Before a round: no page of the region may be at hand. */
static void empty(long round)
{
	long all = threads * pages;
	unsigned x = (unsigned)round;

	if (kind == UFFD) {
		must(!madvise(region, length, MADV_DONTNEED), "madvise(MADV_DONTNEED)");
		return;
	}
	if (kind == FORK) {
		must(!madvise(region, length, MADV_DONTNEED), "madvise(MADV_DONTNEED)");
		errno = posix_fadvise(device, 0, 0, POSIX_FADV_DONTNEED);
		must(!errno, "posix_fadvise");
		return;
	}
	/* Pages must differ, or zswap and 6.12's zeromap keep them from the device. */
	for (size_t i = 0; i < length / sizeof(unsigned); i++)
		((unsigned *)region)[i] = i & 1 ? (x = x * 1664525 + 1013904223) : (unsigned)i;
	for (int i = 0; i < 40 && resident(region, all) > all / 50; i++) {
		must(!madvise(region, length, MADV_PAGEOUT), "madvise(MADV_PAGEOUT)");
		/* MADV_PAGEOUT leaves clean folios in the swap cache; reclaim takes them out when their writeback is done. */
		reclaim(all);
		usleep(5000);
	}
}

int main(int argc, char **argv)
{
	pthread_t walkers[MAX_WALKERS], beside = 0;
	struct sum all = { 0 };
	double walked = 0;

	while (argc > 1 && kind < KINDS && strcmp(argv[1], names[kind]))
		kind++;
	if (argc < 2 || argc > 6 || kind == KINDS || (kind == FORK && argc != 6))
		die(2, "usage: policy walk|storm|hold|same|fork|uffd [ROUNDS [THREADS [PAGES [DEVICE]]]]");
	rounds = number(argc, argv, 2, 5, 1, 100000);
	threads = number(argc, argv, 3, 4, 1, MAX_WALKERS);
	pages = number(argc, argv, 4, 32, 1, 4096);
	/* Only the region is to be swapped out: neither text nor stacks that serve its walk. */
	must(!mlockall(MCL_CURRENT), "mlockall");
	make_region(argv[5]);
	if (kind == HOLD) {
		held = map_pages(HELD_PAGES);
		must(!mlock(held, HELD_PAGES * PAGE), "mlock");
	}
	if (kind == FORK)
		/* Neighbours differ in protection, or they would be one VMA. */
		for (long i = 0; i < 100; i++)
			must(mmap(NULL, 2 * PAGE, i & 1 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED, "mmap");
	pthread_barrier_init(&turn, NULL, (unsigned)threads + 1);
	for (long i = 0; i < threads; i++)
		walkers[i] = start_thread(walk, (void *)i);
	if (kind == UFFD)
		beside = start_thread(handler, NULL);
	else if (kind != WALK)
		beside = start_thread(writer, NULL);
	for (long round = 0; round < rounds; round++) {
		double since;

		empty(round + 1);
		since = seconds(CLOCK_MONOTONIC);
		walking = 1;
		pthread_barrier_wait(&turn);
		pthread_barrier_wait(&turn);
		walking = 0;
		walked += seconds(CLOCK_MONOTONIC) - since;
	}
	over = 1;
	for (long i = 0; i < threads; i++)
		pthread_join(walkers[i], NULL);
	if (beside)
		pthread_join(beside, NULL);
	for (long i = 0; i < threads; i++) {
		all.all += touches[i].all;
		all.calls += touches[i].calls;
		if (touches[i].most > all.most)
			all.most = touches[i].most;
	}
	printf("{\"pid\":%d,\"touches\":%ld,\"touchNs\":%.0f,\"touchMaxNs\":%.0f,\"walkedNs\":%.0f,\"writes\":%ld,\"writeNs\":%.0f,\"writeMaxNs\":%.0f}\n",
	       getpid(), all.calls, all.all * 1e9, all.most * 1e9, walked * 1e9, writes.calls, writes.all * 1e9, writes.most * 1e9);
	return 0;
}
