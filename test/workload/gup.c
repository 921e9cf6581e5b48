/* SPDX-License-Identifier: MIT */
/*
 * gup PAGES: get_user_pages on swapped-out pages (process_vm_readv of this process itself), each read while the swap
 * device stands still, so that every first pass finds its page locked.
 * That pass starts the read and gives mmap_lock back (RETRY); the second one comes with FAULT_FLAG_TRIED, and without
 * lock_mm_and_find_vma: get_user_pages takes mmap_lock again by itself.
 * Truth: PAGES faults, one a page, each of two passes. Below `swap-setup gate`.
 */
#include "gate.h"
#include <sys/uio.h>

static char *region, *into;
static long pages;
static int dm;
static pid_t tid;
static pthread_barrier_t turn;

static void *reader(void *unused)
{
	(void)unused;
	tid = own_tid();
	for (long i = 0; i < pages; i++) {
		struct iovec local = { .iov_base = into, .iov_len = 1 };
		struct iovec remote = { .iov_base = region + (size_t)i * PAGE, .iov_len = 1 };
		pthread_barrier_wait(&turn);
		must(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1, "process_vm_readv");
		if (*into != 'a' + i % 26)
			die(3, "page %ld holds something else", i);
		pthread_barrier_wait(&turn);
	}
	return NULL;
}

static void open_gate(void)
{
	set_gate(dm, "gate", 0);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	pages = number(argc, argv, 1, 16, 1, 256);
	dm = open_dm();
	region = map_fenced(pages);
	into = map_pages(1);
	/* Reclaim would take our text and stacks too, and we would stand at the gate that is ours to open. */
	must(!mlockall(MCL_CURRENT | MCL_FUTURE), "mlockall");
	must(!munlock(region, (size_t)pages * PAGE), "munlock");
	for (long i = 0; i < pages; i++)
		region[(size_t)i * PAGE] = (char)('a' + i % 26);
	for (long i = 0; i < pages; i++)
		swap_out(region + (size_t)i * PAGE);
	if (resident(region, pages))
		die(3, "%ld of %ld pages came back", resident(region, pages), pages);
	pthread_barrier_init(&turn, NULL, 2);
	thread = start_thread(reader, NULL);
	let_go = open_gate;
	for (long i = 0; i < pages; i++) {
		set_gate(dm, "gate", 1);
		pthread_barrier_wait(&turn);
		must_sleep(&tid, 1, "folio_wait");
		open_gate();
		pthread_barrier_wait(&turn);
	}
	pthread_join(thread, NULL);
	printf("{\"workload\":\"gup\",\"pid\":%d,\"address\":\"%p\",\"stride\":%lu,\"truth\":%ld}\n", getpid(), (void *)region,
	       PAGE, pages);
	return 0;
}
