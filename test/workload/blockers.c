/* SPDX-License-Identifier: MIT */
/*
 * blockers KIND SECONDS TRUTH: four threads map, touch and unmap memory (mmap_lock for write, and faults that come to it)
 * while somebody else takes the mmap_lock of their process, for SECONDS or until SIGUSR1:
 *   smaps    another process reads /proc/PID/smaps, over and over
 *   rollup   another process reads /proc/PID/smaps_rollup: under mmap_lock also where smaps is read under VMA locks
 *   readv    another process reads their memory by process_vm_readv
 *   madvise  a thread changes a mapping by madvise(MADV_SEQUENTIAL) and back, for write; two more call mincore, for read
 *   fork     the main thread forks a process of 300 VMAs, over and over, while two threads touch pages of the file COLD_FILE
 *            that are not in the page cache
 *   others   at once: another process reads /proc/PID/mem and looks into a stopped thread by ptrace; threads of their own
 *            splice pages that are not there (get_user_pages), and leave work to ksmd and khugepaged; children exit
 * Truth, in the file TRUTH: a line "START END" (CLOCK_MONOTONIC, ns) for each read, process_vm_readv, madvise or fork that
 * the blocker did; its first line is "PID TID VMAS" of whoever did them. Prints the victims' pid once all of it runs.
 */
#include "blockers_others.h"
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>

#define MOVERS 4
#define MAX_LINES 1000000

static char *heap;
static size_t heap_bytes;
static struct {
	int64_t start, end;
} *lines;
static long nlines;

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void stop(int signal)
{
	(void)signal;
	*over = 1;
}

static void *mover(void *unused)
{
	(void)unused;
	while (!*over) {
		char *block = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		must(block != MAP_FAILED, "mmap");
		for (size_t at = 0; at < BLOCK; at += PAGE)
			block[at] = 1;
		munmap(block, BLOCK);
		usleep(2000);
	}
	return NULL;
}

static void *seer(void *unused)
{
	static __thread unsigned char seen[1 << 16];
	(void)unused;
	while (!*over) {
		mincore(heap, heap_bytes < sizeof seen * PAGE ? heap_bytes : sizeof seen * PAGE, seen);
		usleep(200);
	}
	return NULL;
}

/* Faults on pages that have to be read first: the page cache has dropped them. */
static void *cold(void *unused)
{
	size_t bytes = 16 << 20;
	int fd = open(getenv("COLD_FILE"), O_RDONLY);
	volatile char *file = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	(void)unused;

	must(fd >= 0 && file != MAP_FAILED, "COLD_FILE");
	while (!*over) {
		madvise((void *)file, bytes, MADV_DONTNEED);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		for (size_t at = 0; at < bytes && !*over; at += 16 * PAGE)
			(void)file[at];
	}
	return NULL;
}

/* As many VMAs as that, each of some pages that are there. */
static void make_heap(long vmas, long pages)
{
	heap_bytes = (size_t)vmas * pages * PAGE;
	heap = mmap(NULL, heap_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	must(heap != MAP_FAILED, "mmap");
	for (long i = 0; i < vmas; i += 2)
		must(!mprotect(heap + (size_t)i * pages * PAGE, pages * PAGE, PROT_READ), "mprotect");
}

static void note(int64_t start)
{
	if (nlines < MAX_LINES) {
		lines[nlines].start = start;
		lines[nlines++].end = now();
	}
}

static void block(const char *kind, pid_t victim)
{
	static char buffer[1 << 20];

	if (!strcmp(kind, "smaps") || !strcmp(kind, "rollup")) {
		char path[64];
		ssize_t n;
		snprintf(path, sizeof path, "/proc/%d/smaps%s", victim, !strcmp(kind, "rollup") ? "_rollup" : "");
		int fd = open(path, O_RDONLY);
		do {
			int64_t start = now();
			n = read(fd, buffer, sizeof buffer);
			note(start); /* the last one, of nothing, too */
		} while (n > 0 && !*over);
		close(fd);
	} else if (!strcmp(kind, "others")) {
		int64_t start = now();
		look_into(victim, buffer, sizeof buffer, heap);
		note(start);
		let_exit();
	} else if (!strcmp(kind, "readv")) {
		struct iovec to = { buffer, sizeof buffer }, from = { heap, sizeof buffer };
		int64_t start = now();
		if (process_vm_readv(victim, &to, 1, &from, 1, 0) != sizeof buffer)
			die(3, "process_vm_readv: %s", strerror(errno));
		note(start);
	} else if (!strcmp(kind, "madvise")) {
		static int sequential;
		int64_t start = now();
		madvise(heap + PAGE, BLOCK, sequential ? MADV_NORMAL : MADV_SEQUENTIAL);
		sequential = !sequential;
		note(start);
		usleep(500);
	} else if (!strcmp(kind, "fork")) {
		int64_t start = now();
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		note(start);
		waitpid(child, NULL, 0);
	} else
		die(2, "unknown kind '%s'", kind);
}

static void truth(const char *path, long vmas)
{
	FILE *f = fopen(path, "w");
	fprintf(f, "%d %ld %ld\n", getpid(), (long)syscall(SYS_gettid), vmas);
	for (long i = 0; i < nlines; i++)
		fprintf(f, "%lld %lld\n", (long long)lines[i].start, (long long)lines[i].end);
	fclose(f);
}

int main(int argc, char **argv)
{
	pthread_t movers[MOVERS], beside[3];
	int nbeside = 0;
	if (argc != 4)
		return 2;
	const char *kind = argv[1];
	int64_t end = now() + atol(argv[2]) * INT64_C(1000000000);
	bool others = !strcmp(kind, "others");
	bool outside = others || !strcmp(kind, "smaps") || !strcmp(kind, "rollup") || !strcmp(kind, "readv");
	long vmas = !strcmp(kind, "fork") ? 300 : !strcmp(kind, "smaps") ? 600 : 2;

	over = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(over != MAP_FAILED, "mmap");
	target = (void *)(over + 1);
	if (others)
		wake_scanners();
	signal(SIGUSR1, stop);
	lines = calloc(MAX_LINES, sizeof *lines);
	/* smaps_rollup gives the lock back after a VMA where others queue. */
	make_heap(vmas, vmas == 600 ? 4 : vmas == 300 ? 8 : !strcmp(kind, "rollup") ? 16384 : 2048);
	pid_t victim = getpid();
	if (outside && fork() == 0) {
		while (now() < end && !*over)
			block(kind, victim);
		truth(argv[3], vmas);
		_exit(0);
	}
	for (int i = 0; i < MOVERS; i++)
		pthread_create(&movers[i], NULL, mover, NULL);
	void *(*more[3])(void *) = { NULL };
	if (others)
		more[0] = sleeper, more[1] = splicer, more[2] = feeder;
	else if (!strcmp(kind, "madvise"))
		more[0] = more[1] = seer;
	else if (!strcmp(kind, "fork") && getenv("COLD_FILE"))
		more[0] = more[1] = cold;
	for (; nbeside < 3 && more[nbeside]; nbeside++)
		pthread_create(&beside[nbeside], NULL, more[nbeside], NULL);
	printf("%d\n", victim);
	fflush(stdout);
	while (now() < end && !*over) {
		if (outside)
			usleep(100000);
		else
			block(kind, victim);
	}
	*over = 1;
	for (int i = 0; i < MOVERS; i++)
		pthread_join(movers[i], NULL);
	for (int i = 0; i < nbeside; i++)
		pthread_join(beside[i], NULL);
	if (outside)
		while (wait(NULL) > 0)
			;
	else
		truth(argv[3], vmas);
	return 0;
}
