/* SPDX-License-Identifier: MIT */
/* Gates: a device-mapper device that stands still, threads known to sleep in the kernel, a page known to be swapped out. */
#ifndef WORKLOAD_GATE_H
#define WORKLOAD_GATE_H

#include "common.h"
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

static inline pid_t own_tid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

static inline int open_dm(void)
{
	int dm = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	must(dm >= 0, "/dev/mapper/control");
	return dm;
}

/* By ioctl, not by dmsetup: nothing has to be loaded from disk while the disk stands still. */
static inline void set_gate(int dm, const char *device, int closed)
{
	struct dm_ioctl request = { .version = { DM_VERSION_MAJOR, 0, 0 }, .data_size = sizeof(request) };
	if (closed) /* no flush: reads shall wait in the device, not be waited for */
		request.flags = DM_SUSPEND_FLAG | DM_NOFLUSH_FLAG | DM_SKIP_LOCKFS_FLAG;
	strncpy(request.name, device, sizeof(request.name) - 1);
	must(!ioctl(dm, DM_DEV_SUSPEND, &request), closed ? "dm suspend" : "dm resume");
}

static inline ssize_t read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	if (fd < 0)
		return -1;
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return n;
}

/*
 * Does the thread, of whatever process, sleep uninterruptibly in the kernel (TASK_KILLABLE shows as D too), below a function whose name
 * contains WHERE ("" takes any)? Reading none of these files takes mmap_lock. Mostly wchan has the name; on real-time kernels it
 * is rt_mutex_schedule for every lock, and 0 for a thread that is about to sleep or was just woken, so then the stack decides.
 */
static inline int sleeps_in(pid_t tid, const char *where)
{
	char path[64], text[4096];
	const char *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (read_text(path, text, sizeof(text)) <= 0)
		return 0;
	state = strrchr(text, ')'); /* the name before it may hold anything */
	if (!state || state[1] != ' ' || state[2] != 'D')
		return 0;
	if (!*where)
		return 1;
	snprintf(path, sizeof(path), "/proc/%d/wchan", tid);
	if (read_text(path, text, sizeof(text)) > 0 && strstr(text, where))
		return 1;
	snprintf(path, sizeof(path), "/proc/%d/stack", tid);
	return read_text(path, text, sizeof(text)) > 0 && strstr(text, where) != NULL;
}

/* How much slower this machine is than a quiet one, measured before the guest began (test/pace.ts); 1 where nobody says. */
static inline double pace(void)
{
	const char *said = getenv("VMALOCKTOP_PACE");
	double value = said ? atof(said) : 1;
	return value > 1 ? value : 1;
}

/* Waits until all sleep there; how many do after at most LIMIT seconds of a quiet machine. */
static inline int all_asleep(const pid_t *tids, int count, const char *where, double limit)
{
	double end = seconds(CLOCK_MONOTONIC) + limit * pace();
	int asleep;
	do {
		asleep = 0;
		usleep(20000);
		while (asleep < count && sleeps_in(tids[asleep], where))
			asleep++;
	} while (asleep < count && seconds(CLOCK_MONOTONIC) < end);
	return asleep;
}

/* What a workload that fails has to open first: a process that still stands at a gate cannot even exit. */
static void (*let_go)(void);

static inline void must_sleep(const pid_t *tids, int count, const char *where)
{
	int asleep = all_asleep(tids, count, where, 60 + 0.5 * count);
	char path[64], wchan[128] = "";
	if (asleep == count)
		return;
	snprintf(path, sizeof(path), "/proc/%d/wchan", tids[asleep]);
	read_text(path, wchan, sizeof(wchan));
	if (let_go)
		let_go();
	die(3, "%d of %d threads reached the wait (%s); the next is in %s", asleep, count, where, wchan);
}

/* Until the page is neither mapped nor in the swap cache. */
static inline void swap_out(char *page)
{
	for (int i = 0; i < 500; i++) {
		madvise(page, PAGE, MADV_PAGEOUT);
		reclaim(16);
		if (!resident(page, 1))
			return;
		usleep(10000);
		if (i % 20 == 19) /* drains other CPUs' LRU batches, which hold a reference on the page */
			put("/proc/sys/vm/drop_caches", "1");
	}
	die(3, "the page stays resident");
}

/* Pages between inaccessible ones: a VMA that merges with no neighbour. */
static inline char *map_fenced(long pages)
{
	char *all = mmap(NULL, (size_t)(pages + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(all != MAP_FAILED, "mmap");
	must(!mprotect(all + PAGE, (size_t)pages * PAGE, PROT_READ | PROT_WRITE), "mprotect");
	small_pages(all + PAGE, (size_t)pages * PAGE);
	return all + PAGE;
}

#endif
