/* SPDX-License-Identifier: MIT */
/*
 * mmap_lock held for write, for as long as one likes. A thread writes to a shared page of a file whose file system is
 * frozen: it sleeps in ->page_mkwrite (sb_start_pagefault) and keeps its VMA's lock. A second thread calls mprotect on
 * that VMA: it has mmap_lock for write and sleeps in __vma_start_write until that reader is gone (before 6.15: in
 * down_write of the VMA's lock). Thawing lets both go. Needs $FILES, a directory on a file system that can be frozen
 * and on which the process writes nothing else. Call hold_prepare before mlockall: nothing here may fault while it holds.
 */
#ifndef WORKLOAD_HOLD_H
#define WORKLOAD_HOLD_H

#include "gate.h"
#include <linux/fs.h>

#define HELD_PAGES 512 /* a page for each thread that shall meet the write-locked VMA */

static struct {
	char *pages;
	int directory;
	pthread_t reader, writer;
	pid_t reader_tid, writer_tid;
	pthread_barrier_t ready, reader_go, writer_go;
} hold;

static inline void *hold_reader(void *unused)
{
	hold.reader_tid = own_tid();
	pthread_barrier_wait(&hold.ready);
	pthread_barrier_wait(&hold.reader_go);
	hold.pages[0] = 1;
	return unused;
}

static inline void *hold_writer(void *unused)
{
	hold.writer_tid = own_tid();
	pthread_barrier_wait(&hold.ready);
	pthread_barrier_wait(&hold.writer_go);
	/* The reader may write only after this; so it must not take the right to write away. */
	must(!mprotect(hold.pages, HELD_PAGES * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC), "mprotect");
	return unused;
}

static inline const char *files_directory(void)
{
	const char *files = getenv("FILES");
	if (!files)
		die(2, "FILES is not set: run below test/vm/guest/files-setup");
	return files;
}

static inline void hold_prepare(void)
{
	char path[512];
	char zero[PAGE];
	int fd;

	memset(zero, 0, PAGE);
	snprintf(path, sizeof(path), "%s/held", files_directory());
	hold.directory = open(files_directory(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(hold.directory >= 0 && fd >= 0, path);
	for (int i = 0; i < HELD_PAGES; i++) /* in the page cache, so that nobody has to read */
		must(write(fd, zero, PAGE) == (ssize_t)PAGE, path);
	must(!fsync(fd), path);
	hold.pages = mmap(NULL, HELD_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(hold.pages != MAP_FAILED, "mmap");
	close(fd);
	pthread_barrier_init(&hold.ready, NULL, 3);
	pthread_barrier_init(&hold.reader_go, NULL, 2);
	pthread_barrier_init(&hold.writer_go, NULL, 2);
	hold.reader = start_thread(hold_reader, NULL);
	hold.writer = start_thread(hold_writer, NULL);
	pthread_barrier_wait(&hold.ready);
}

static inline void hold_let_go(void)
{
	ioctl(hold.directory, FITHAW, 0);
}

/* Returns with mmap_lock held for write by hold.writer_tid and the VMA of hold.pages waiting for its reader. */
static inline void hold_begin(void)
{
	if (!let_go)
		let_go = hold_let_go;
	must(!ioctl(hold.directory, FIFREEZE, 0), "FIFREEZE");
	pthread_barrier_wait(&hold.reader_go);
	/* Not in any sleep on its way: before it is there it has no VMA lock that the writer would wait for. */
	must_sleep(&hold.reader_tid, 1, "page_mkwrite");
	pthread_barrier_wait(&hold.writer_go);
	must_sleep(&hold.writer_tid, 1, "");
}

static inline void hold_end(void)
{
	must(!ioctl(hold.directory, FITHAW, 0), "FITHAW");
	pthread_join(hold.writer, NULL);
	pthread_join(hold.reader, NULL);
}

#endif
