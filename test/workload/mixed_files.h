/* SPDX-License-Identifier: MIT */
/* What the sorts of faults of `mixed` share, and those of pages that belong to a file. */
#ifndef WORKLOAD_MIXED_FILES_H
#define WORKLOAD_MIXED_FILES_H

#include "common.h"
#include <stdatomic.h>

#define PAGES 256

static atomic_int stop;
static atomic_long parts[8];

static char *at(char *region, long page)
{
	return region + (size_t)page * PAGE;
}

static void write_all(char *region, long pages)
{
	for (long i = 0; i < pages; i++)
		++*(volatile char *)at(region, i);
}

static void *file(void *directory)
{
	char path[512], data[PAGE];
	char *map;
	int fd;
	snprintf(path, sizeof(path), "%s/mixed", (char *)directory);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0, path);
	memset(data, 1, PAGE);
	for (int i = 0; i < PAGES; i++)
		must(write(fd, data, PAGE) == (ssize_t)PAGE, path);
	map = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(map != MAP_FAILED, "mmap");
	for (long round = 0; !stop; round++) {
		must(!madvise(map, PAGES * PAGE, round & 1 ? MADV_RANDOM : MADV_NORMAL), "madvise");
		if (round % 4 == 3)
			write_all(map, PAGES);
		for (long i = 0; i < PAGES; i++)
			(void)*(volatile char *)at(map, i);
		must(!msync(map, PAGES * PAGE, MS_SYNC) && !madvise(map, PAGES * PAGE, MADV_DONTNEED), "msync");
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		parts[4]++;
	}
	return NULL;
}

static void *shmem(void *unused)
{
	int fd = memfd_create("mixed", MFD_CLOEXEC);
	char *map;
	must(fd >= 0 && !ftruncate(fd, PAGES * PAGE), "memfd");
	map = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(map != MAP_FAILED, "mmap");
	while (!stop) {
		write_all(map, PAGES);
		must(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGES * PAGE), "fallocate");
		parts[5]++;
	}
	return unused;
}

#endif
