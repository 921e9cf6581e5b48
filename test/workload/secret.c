/* SPDX-License-Identifier: MIT */
/*
 * secret PAGES: touches each page of a memfd_secret(2) mapping once. secretmem's vm_operations have ->fault and no
 * ->map_pages, so under the VMA lock each first touch is refused (vmf_can_call_fault).
 * Truth: exactly PAGES RETRYs, one a page from `address` on.
 */
#include "gate.h"

int main(int argc, char **argv)
{
	long pages = number(argc, argv, 1, 64, 1, 1024);
	int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
	char *region;

	must(fd >= 0, "memfd_secret");
	must(!ftruncate(fd, pages * (long)PAGE), "ftruncate");
	region = mmap(NULL, (size_t)pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(region != MAP_FAILED, "mmap");
	for (long i = 0; i < pages; i++)
		((volatile char *)region)[(size_t)i * PAGE] = 1;
	printf("{\"workload\":\"secret\",\"pid\":%d,\"address\":\"%p\",\"stride\":%lu,\"truth\":%ld}\n", getpid(),
	       (void *)region, PAGE, pages);
	return 0;
}
