/* SPDX-License-Identifier: MIT */
/*
 * gup PAGES: get_user_pages on swapped-out pages (process_vm_readv of this process itself).
 * Its first pass reads the page and gives mmap_lock back (RETRY); the second one comes with FAULT_FLAG_TRIED, and without
 * lock_mm_and_find_vma: get_user_pages takes mmap_lock again by itself.
 * Truth: PAGES faults, one a page.
 */
#include "gate.h"
#include <sys/uio.h>

int main(int argc, char **argv)
{
	long pages = number(argc, argv, 1, 16, 1, 256);
	char *region = map_fenced(pages), *into = map_pages(1);
	struct iovec local = { .iov_base = into, .iov_len = (size_t)pages };
	struct iovec *remote = calloc((size_t)pages, sizeof(*remote));

	must(remote != NULL, "calloc");
	*(volatile char *)into = 0;
	for (long i = 0; i < pages; i++) {
		remote[i] = (struct iovec){ .iov_base = region + (size_t)i * PAGE, .iov_len = 1 };
		*(volatile char *)remote[i].iov_base = (char)('a' + i % 26);
	}
	for (long i = 0; i < pages; i++)
		swap_out(region + (size_t)i * PAGE);
	if (resident(region, pages))
		die(3, "%ld of %ld pages came back", resident(region, pages), pages);
	must(process_vm_readv(getpid(), &local, 1, remote, (unsigned long)pages, 0) == pages, "process_vm_readv");
	for (long i = 0; i < pages; i++)
		if (into[i] != 'a' + i % 26)
			die(3, "page %ld holds something else", i);
	printf("{\"workload\":\"gup\",\"pid\":%d,\"address\":\"%p\",\"stride\":%lu,\"truth\":%ld}\n", getpid(), (void *)region,
	       PAGE, pages);
	return 0;
}
