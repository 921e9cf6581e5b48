/* SPDX-License-Identifier: MIT */
/*
 * busy MODE THREADS: THREADS threads fault while another thread of theirs holds mmap_lock for write (hold.h).
 *   anon     write to the first page of a new private anonymous VMA: no anon_vma yet, and __vmf_anon_prepare's trylock
 *            of mmap_lock fails                                        THREADS RETRYs under the VMA lock
 *   hugetlb  the same in a private hugetlb VMA                         THREADS RETRYs under the VMA lock
 *   locked   read a page each of the very VMA the writer is locking    THREADS ABORTs: lock_vma_under_rcu gives NULL
 * Truth: exactly so many, at `address` (locked: at so many addresses from there on), and each of them queues for
 * mmap_lock behind `holder`. Needs $FILES; hugetlb needs a free huge page of 2 MiB.
 */
#include "hold.h"

static pthread_barrier_t ready, start, done;
static pid_t tids[HELD_PAGES];
static char *target;
static size_t stride;
static int writes;

static void *faulter(void *index)
{
	volatile char *byte = target;
	tids[(long)index] = own_tid();
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&start);
	byte = target + (size_t)(long)index * stride;
	if (writes)
		*byte = 1;
	else
		(void)*byte;
	pthread_barrier_wait(&done); /* an exiting thread may wait for mmap_lock too */
	return NULL;
}

static char *map_huge(void)
{
	char *huge = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (huge == MAP_FAILED)
		die(2, "no huge page: %s; echo 8 >/proc/sys/vm/nr_hugepages", strerror(errno));
	return huge;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int threads = (int)number(argc, argv, 2, 8, 1, HELD_PAGES - 1);
	pthread_t thread[HELD_PAGES];
	int locked = !strcmp(mode, "locked");

	if (!locked && strcmp(mode, "anon") && strcmp(mode, "hugetlb"))
		die(2, "usage: busy anon|hugetlb|locked [THREADS]");
	pthread_barrier_init(&ready, NULL, (unsigned)threads + 1);
	pthread_barrier_init(&start, NULL, (unsigned)threads + 1);
	pthread_barrier_init(&done, NULL, (unsigned)threads + 1);
	for (long i = 0; i < threads; i++)
		thread[i] = start_thread(faulter, (void *)i);
	pthread_barrier_wait(&ready);
	hold_prepare();
	must(!mlockall(MCL_CURRENT), "mlockall");
	if (locked) {
		/* Out of the page tables again, but not out of the page cache. */
		must(!munlock(hold.pages, HELD_PAGES * PAGE), "munlock");
		must(!madvise(hold.pages, HELD_PAGES * PAGE, MADV_DONTNEED), "madvise(MADV_DONTNEED)");
		target = hold.pages + PAGE;
		stride = PAGE;
	} else {
		target = !strcmp(mode, "hugetlb") ? map_huge() : map_fenced(1);
		writes = 1;
	}
	hold_begin();
	pthread_barrier_wait(&start);
	must_sleep(tids, threads, "lock_mm_and_find_vma");
	hold_end();
	pthread_barrier_wait(&done);
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	printf("{\"workload\":\"busy\",\"mode\":\"%s\",\"pid\":%d,\"address\":\"%p\",\"stride\":%zu,\"holder\":%d,\"truth\":%d}\n",
	       mode, getpid(), (void *)target, stride, hold.writer_tid, threads);
	return 0;
}
