/* SPDX-License-Identifier: MIT */
/*
 * reclaim memcg|sync PAGES
 *   memcg  writes PAGES pages in a memory cgroup of its own whose memory.max is a quarter of them: its faults reclaim
 *          Truth: at most `events` reclaims inside faults (memory.events' "max": one a charge that reclaimed), at least one
 *   sync   PAGES pages swapped out to a synchronous device (zram) are read again, by one thread
 *          Truth: exactly as many synchronous reads as pages were not in memory, the VMA lock held meanwhile, no RETRY
 * Needs $CG and swap: for memcg any, for sync only zram's.
 */
#include "common.h"

static char *region;

static char cgroup[512];

static const char *in_cgroup(const char *file)
{
	static char path[600];
	snprintf(path, sizeof(path), "%s/%s", cgroup, file);
	return path;
}

static void write_in_cgroup(const char *file, const char *text)
{
	must(!put(in_cgroup(file), text), in_cgroup(file));
}

static long max_events(void)
{
	char line[128];
	long count = -1;
	FILE *file = fopen(in_cgroup("memory.events"), "re");
	must(file != NULL, in_cgroup("memory.events"));
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "max %ld", &count) == 1)
			break;
	fclose(file);
	return count;
}

static void fill(long pages)
{
	unsigned x = 12345;
	for (size_t i = 0; i < (size_t)pages * PAGE / sizeof(x); i++) /* pages of one value would not reach the device */
		((unsigned *)region)[i] = i & 1 ? (x = x * 1664525 + 1013904223) : (unsigned)i;
}

/* A cgroup beside $CG, with nobody else in it whom the limit would hurt. */
static long memcg(long pages)
{
	char bytes[32];
	long before;
	snprintf(cgroup, sizeof(cgroup), "%s-reclaim-%d", getenv("CG"), getpid());
	must(!mkdir(cgroup, 0755), cgroup);
	write_in_cgroup("cgroup.procs", "0");
	snprintf(bytes, sizeof(bytes), "%ld", pages * (long)PAGE / 4);
	write_in_cgroup("memory.max", bytes);
	before = max_events();
	fill(pages);
	write_in_cgroup("memory.max", "max");
	before = max_events() - before;
	if (before <= 0)
		die(3, "nothing had to be reclaimed");
	return before;
}

/* Returns how many pages had to be read. */
static long sync_read(long pages)
{
	long in = pages;
	fill(pages);
	/* What stays in the swap cache is found there, and not read: better a few of those than to insist. */
	for (int i = 0; i < 20 && in; i++) {
		must(!madvise(region, (size_t)pages * PAGE, MADV_PAGEOUT), "madvise(MADV_PAGEOUT)");
		reclaim(16);
		if (i % 5 == 4)
			put("/proc/sys/vm/drop_caches", "1"); /* drains LRU batches, which hold references */
		in = resident(region, pages);
	}
	if (in > pages / 2)
		die(3, "%ld pages stay resident", in);
	for (long i = 0; i < pages; i++)
		(void)((volatile char *)region)[(size_t)i * PAGE];
	return pages - in;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	long pages = number(argc, argv, 2, 2048, 256, 1 << 18), truth = pages;

	if (!getenv("CG"))
		die(2, "CG is not set: run below test/vm/guest/swap-setup");
	must(!mlockall(MCL_CURRENT), "mlockall");
	region = map_pages(pages);
	if (!strcmp(mode, "memcg"))
		truth = memcg(pages);
	else if (!strcmp(mode, "sync"))
		truth = sync_read(pages);
	else
		die(2, "usage: reclaim memcg|sync [PAGES]");
	printf("{\"workload\":\"reclaim\",\"mode\":\"%s\",\"pid\":%d,\"truth\":%ld", mode, getpid(), truth);
	if (!strcmp(mode, "sync"))
		printf(",\"address\":\"%p\",\"stride\":%lu,\"pages\":%ld", (void *)region, PAGE, pages);
	puts("}");
	return 0;
}
