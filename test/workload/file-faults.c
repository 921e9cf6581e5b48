/* SPDX-License-Identifier: MIT */
/*
 * file-faults MODE N: faults on pages of files below $FILES, on device-mapper's "files" (test/vm/guest/files-setup).
 *   miss       N pages of one file, none in the page cache, no readahead (MADV_RANDOM): N RETRYs with MAJOR, one a page
 *   readahead  N files of which a read(2) brought the first pages; their PG_readahead page is touched: N RETRYs, one a file
 *   lock       N threads touch one page while the device stands still: the first reads it, N - 1 wait for its lock
 *   stale      N pages in the page cache without their data, for the device failed: N RETRYs that read, none MAJOR
 *   shared     the first write to N pages of a shared mapping: N results COMPLETED, no RETRY
 * Truth: `truth` faults of the named kind, at `address` + i * `stride` (readahead: at `addresses`).
 */
#include "gate.h"
#include <stdint.h>

#define MAX_FILES 64

static long n;
static int dm;
static char *region;
static pthread_barrier_t ready, go[2], done;
static pid_t tids[MAX_THREADS];

static void name(char *path, size_t size, const char *mode, long index)
{
	const char *files = getenv("FILES");
	if (!files)
		die(2, "FILES is not set: run below test/vm/guest/files-setup");
	snprintf(path, size, "%s/%s-%ld", files, mode, index);
}

/* A file of PAGES pages that differ, on the device and not in the page cache. */
static int make_file(const char *mode, long index, long pages)
{
	char path[512], data[PAGE];
	int fd;
	name(path, sizeof(path), mode, index);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0, path);
	for (long i = 0; i < pages; i++) {
		memset(data, (int)(i % 100) + 1, PAGE);
		must(write(fd, data, PAGE) == (ssize_t)PAGE, path);
	}
	must(!fsync(fd), path);
	must(!posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), path);
	return fd;
}

static char *map_file(int fd, long pages, int advice)
{
	char *map = mmap(NULL, (size_t)pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(map != MAP_FAILED, "mmap");
	must(!madvise(map, (size_t)pages * PAGE, advice), "madvise");
	return map;
}

static void must_read(long page)
{
	volatile char *byte = region + (size_t)page * PAGE;
	if (*byte != (char)(page % 100 + 1))
		die(3, "page %ld is wrong", page);
}

static void miss(void)
{
	region = map_file(make_file("miss", 0, n), n, MADV_RANDOM);
	if (resident(region, n))
		die(3, "%ld pages stay in the page cache", resident(region, n));
	for (long i = 0; i < n; i++)
		must_read(i);
}

/* A read of a file's first page brings four (get_init_ra_size), of which the second is marked PG_readahead. */
static void readahead_page(void)
{
	static char *maps[MAX_FILES];
	for (long i = 0; i < n; i++) {
		char byte;
		int fd = make_file("readahead", i, 64);
		must(pread(fd, &byte, 1, 0) == 1, "pread");
		maps[i] = map_file(fd, 64, MADV_NORMAL);
	}
	usleep(200000); /* the read waited for its own page alone */
	printf("{\"workload\":\"file-faults\",\"mode\":\"readahead\",\"pid\":%d,\"truth\":%ld,\"addresses\":[", getpid(), n);
	for (long i = 0; i < n; i++) {
		region = maps[i];
		must_read(1);
		printf("%s\"%p\"", i ? "," : "", (void *)(maps[i] + PAGE));
	}
	puts("]}");
}

static void *waiter(void *index)
{
	tids[(long)index] = own_tid();
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&go[(long)index > 0]);
	must_read(0);
	pthread_barrier_wait(&done);
	return NULL;
}

static void open_gate(void)
{
	set_gate(dm, "files", 0);
}

static void lock(void)
{
	pthread_t thread[MAX_THREADS];
	region = map_file(make_file("lock", 0, 1), 1, MADV_RANDOM);
	pthread_barrier_init(&ready, NULL, (unsigned)n + 1);
	pthread_barrier_init(&go[0], NULL, 2);
	pthread_barrier_init(&go[1], NULL, (unsigned)n);
	pthread_barrier_init(&done, NULL, (unsigned)n + 1);
	for (long i = 0; i < n; i++)
		thread[i] = start_thread(waiter, (void *)i);
	pthread_barrier_wait(&ready);
	if (resident(region, 1))
		die(3, "the page stays in the page cache");
	let_go = open_gate;
	set_gate(dm, "files", 1);
	pthread_barrier_wait(&go[0]);
	must_sleep(tids, 1, "folio_wait");
	pthread_barrier_wait(&go[1]);
	must_sleep(tids, (int)n, "folio_wait");
	open_gate();
	pthread_barrier_wait(&done);
	for (long i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
}

/* By dmsetup: the table of the suspended device becomes one whose reads fail, or the old one again. */
static void device_fails(int fails)
{
	must(!system(fails ? "dmsetup table files >/run/files.table && "
			     "dmsetup load files --table \"0 $(blockdev --getsz /dev/mapper/files) error\" && "
			     "dmsetup suspend --noflush --nolockfs files && dmsetup --noudevsync resume files"
			   : "dmsetup load files /run/files.table && dmsetup suspend --noflush --nolockfs files && "
			     "dmsetup --noudevsync resume files"),
	     "dmsetup");
}

static void stale(void)
{
	int fd = make_file("stale", 0, n);
	double end = seconds(CLOCK_MONOTONIC) + 20;
	long in;
	region = map_file(fd, n, MADV_RANDOM);
	device_fails(1);
	readahead(fd, 0, (size_t)n * PAGE); /* leaves the folios behind, unlocked and not up to date */
	do {
		usleep(100000);
		/* mincore counts pages that are up to date only; it must not find one */
		in = resident(region, n);
	} while (in && seconds(CLOCK_MONOTONIC) < end);
	device_fails(0);
	if (in)
		die(3, "%ld pages have data", in);
	for (long i = 0; i < n; i++)
		must_read(i);
}

static void shared(void)
{
	int fd = make_file("shared", 0, n);
	region = map_file(fd, n, MADV_NORMAL);
	must(!madvise(region, (size_t)n * PAGE, MADV_POPULATE_READ), "madvise(MADV_POPULATE_READ)");
	for (long i = 0; i < n; i++)
		((volatile char *)region)[(size_t)i * PAGE] = 1;
}

static const struct { const char *name; void (*run)(void); } modes[] = {
	{ "miss", miss }, { "readahead", readahead_page }, { "lock", lock }, { "stale", stale }, { "shared", shared },
};

int main(int argc, char **argv)
{
	n = number(argc, argv, 2, 16, 1, MAX_FILES);
	dm = open_dm();
	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(*modes); i++) {
		if (strcmp(argv[1], modes[i].name))
			continue;
		modes[i].run();
		if (modes[i].run != readahead_page)
			printf("{\"workload\":\"file-faults\",\"mode\":\"%s\",\"pid\":%d,\"address\":\"%p\",\"stride\":%lu,\"truth\":%ld}\n",
			       argv[1], getpid(), (void *)region, modes[i].run == lock ? 0 : PAGE, n);
		return 0;
	}
	die(2, "usage: file-faults miss|readahead|lock|stale|shared [N]");
}
