/* SPDX-License-Identifier: MIT */
/*
 * vma-users copy|madvise|maps N: takes VMA locks, and not by a fault.
 *   copy     N times UFFDIO_COPY of one page each: uffd_lock_vma (mm/userfaultfd.c) takes the VMA lock, 6.8 and newer
 *   madvise  N times MADV_DONTNEED of one page: madvise takes the VMA lock, 6.17 and newer; before, mmap_lock
 *   maps     N reads of /proc/PID/maps of a child that sleeps: a VMA lock for each of its `vmas` VMAs, 6.17 and newer
 * Truth: copy and madvise: exactly N locks; maps: at least N * `vmas` (each read(2) may take one twice to go on from).
 */
#include "uffd.h"
#include <signal.h>
#include <sys/wait.h>

static long vmas;

static void copy(long n)
{
	int uffd = open_uffd(UFFD_USER_MODE_ONLY);
	char *region = map_pages(n + 1), *source = map_pages(1);

	region[0] = *source = 1; /* a VMA without anon_vma is filled under mmap_lock */
	register_uffd(uffd, region, (size_t)(n + 1) * PAGE, UFFDIO_REGISTER_MODE_MISSING);
	for (long i = 1; i <= n; i++) {
		struct uffdio_copy one = { .dst = (uintptr_t)region + (size_t)i * PAGE, .src = (uintptr_t)source, .len = PAGE };
		must(!ioctl(uffd, UFFDIO_COPY, &one), "UFFDIO_COPY");
	}
}

static void discard(long n)
{
	char *page = map_pages(1);
	*page = 1;
	for (long i = 0; i < n; i++)
		must(!madvise(page, PAGE, MADV_DONTNEED), "madvise(MADV_DONTNEED)");
}

static void read_maps(long n)
{
	static char text[1 << 16];
	char path[64];
	pid_t child = fork();

	must(child >= 0, "fork");
	if (!child)
		for (;;)
			pause();
	snprintf(path, sizeof(path), "/proc/%d/maps", child);
	for (long i = 0; i < n; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t got;
		must(fd >= 0, path);
		vmas = 0;
		while ((got = read(fd, text, sizeof(text))) > 0)
			for (ssize_t k = 0; k < got; k++)
				vmas += text[k] == '\n';
		close(fd);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	vmas--; /* [vsyscall] is a line and no VMA (get_gate_vma) */
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	long n = number(argc, argv, 2, 100, 1, 100000);

	if (!strcmp(mode, "copy"))
		copy(n);
	else if (!strcmp(mode, "madvise"))
		discard(n);
	else if (!strcmp(mode, "maps"))
		read_maps(n);
	else
		die(2, "usage: vma-users copy|madvise|maps [N]");
	printf("{\"workload\":\"vma-users\",\"mode\":\"%s\",\"pid\":%d,\"truth\":%ld,\"vmas\":%ld}\n", mode, getpid(), n, vmas);
	return 0;
}
