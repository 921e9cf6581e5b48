/* SPDX-License-Identifier: MIT */
/* What the workloads share. Each is one process whose truth is known beforehand; it prints one line of JSON. */
#ifndef WORKLOAD_COMMON_H
#define WORKLOAD_COMMON_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifdef __aarch64__ /* 4, 16 or 64 KiB, as the kernel was built */
#define PAGE ((size_t)getpagesize())
#else
#define PAGE 4096UL
#endif
#define MAX_THREADS 1024

/* Exit codes: 2 wrong use or surroundings, 3 the kernel did not let the truth come about. */
#define die(code, ...) \
	do { \
		fprintf(stderr, "%s: ", program_invocation_short_name); \
		fprintf(stderr, __VA_ARGS__); \
		fputc('\n', stderr); \
		exit(code); \
	} while (0)

/* What lies between MARK(BEGIN) and MARK(END) is what test/vm/profile.c counts: eight bytes that do nothing, and say so. */
#define BEGIN 1
#define END 2
#ifdef __x86_64__
#define MARK(which) asm volatile(".byte 0x0f, 0x1f, 0x84, 0x00, 'v', 'l', 'k', %c0" ::"i"(which) : "memory")
#else
#define MARK(which) ((void)(which))
#endif

static inline void must(int ok, const char *what)
{
	if (!ok)
		die(2, "%s: %s", what, strerror(errno));
}

static inline double seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Argument INDEX as a number of [min, max], or its default where there is none. */
static inline long number(int argc, char **argv, int index, long missing, long min, long max)
{
	char *end;
	long value;
	if (index >= argc)
		return missing;
	value = strtol(argv[index], &end, 10);
	if (*end || end == argv[index] || value < min || value > max)
		die(2, "'%s' is not a number of %ld to %ld", argv[index], min, max);
	return value;
}

/* One fault a page, whatever the machine thinks of huge pages. PREEMPT_RT kernels have none, and refuse to be asked. */
static inline void small_pages(void *region, size_t length)
{
	must(!madvise(region, length, MADV_NOHUGEPAGE) || errno == EINVAL, "madvise(MADV_NOHUGEPAGE)");
}

static inline char *map_pages(long pages)
{
	char *region = mmap(NULL, (size_t)pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(region != MAP_FAILED, "mmap");
	small_pages(region, (size_t)pages * PAGE);
	return region;
}

static inline int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;
	if (fd < 0)
		return -1;
	written = write(fd, text, strlen(text));
	close(fd);
	return written < 0 ? -1 : 0;
}

/* Asks the workload's own memory cgroup ($CG) to give up memory. Less than asked for is EAGAIN, which is usual. */
static inline void reclaim(long pages)
{
	const char *cgroup = getenv("CG");
	char path[512], bytes[32];
	if (!cgroup)
		die(2, "CG is not set: run below test/vm/guest/swap-setup");
	snprintf(path, sizeof(path), "%s/memory.reclaim", cgroup);
	snprintf(bytes, sizeof(bytes), "%ld", pages * (long)PAGE);
	if (put(path, bytes) && errno != EAGAIN)
		die(2, "%s: %s", path, strerror(errno));
}

/* Pages mapped or in the swap cache; a touch of any other must read the swap device. */
static inline long resident(char *region, long pages)
{
	unsigned char *in = malloc((size_t)pages);
	long count = 0;
	must(in && !mincore(region, (size_t)pages * PAGE, in), "mincore");
	for (long i = 0; i < pages; i++)
		count += in[i] & 1;
	free(in);
	return count;
}

static inline pthread_t start_thread(void *(*body)(void *), void *argument)
{
	pthread_attr_t attributes;
	pthread_t thread;
	pthread_attr_init(&attributes);
	/* Small, since workloads lock all of it; arm64 refuses less than 128 KiB. */
	errno = pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN > 64 * 1024 ? PTHREAD_STACK_MIN : 64 * 1024);
	must(!errno, "pthread_attr_setstacksize");
	errno = pthread_create(&thread, &attributes, body, argument);
	must(!errno, "pthread_create");
	pthread_attr_destroy(&attributes);
	return thread;
}

#endif
