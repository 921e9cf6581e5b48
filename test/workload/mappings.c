/* SPDX-License-Identifier: MIT */
/*
 * mappings: a fault that returns RETRY on a VMA of each kind, and what the kernel itself says each of them maps.
 *   By userfaultfd: the heap, an anonymous mapping with a name and one without, a memfd, shared anonymous memory, and
 *   a file of tmpfs that is unlinked meanwhile. By a page that is not in the page cache: a file in $FILES, one with a path longer
 *   than a record has room for, and one in $STACKED, where overlayfs maps a file of another file system.
 * Truth: `mappings`: of each the address of the fault and the line of /proc/self/maps around it. `truth`: how many there are.
 */
#include "uffd.h"
#include <limits.h>
#include <linux/prctl.h>
#include <sys/prctl.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#define MAX_PLACES 16
#define DEEP 30 /* directories of 20 bytes: more than VL_PATH */

static char *places[MAX_PLACES];
static int count;
static int uffd;

/* Answers each missing page with a page of zeroes. */
static void *handler(void *unused)
{
	static char nothing[65536] __attribute__((aligned(65536)));
	(void)unused;
	while (await_fault(uffd, -1) > 0) {
		char *page = faulted_page(uffd);
		if (page)
			fill_page(uffd, page, nothing);
	}
	return NULL;
}

/* Two pages at `region`: the first is there already, so that its VMA has an anon_vma; the second one is userfaultfd's. */
static void add(char *region)
{
	must(region != MAP_FAILED, "mmap");
	region[0] = 1;
	register_uffd(uffd, region, 2 * PAGE, UFFDIO_REGISTER_MODE_MISSING);
	places[count++] = region + PAGE;
}

static char *map_fd(int fd)
{
	must(fd >= 0 && !ftruncate(fd, (off_t)(2 * PAGE)), "a file in memory");
	return mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/* A page of a file that is on its device and not in the page cache. */
static void add_file(const char *directory, const char *name)
{
	char path[PATH_MAX], data[PAGE];
	char *map;
	int fd;
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	memset(data, 1, PAGE);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0 && write(fd, data, PAGE) == (ssize_t)PAGE && !fsync(fd), path);
	close(fd);
	/* Opened once more to be read only: overlayfs then maps the file below. */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && !posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), path);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	must(map != MAP_FAILED && !madvise(map, PAGE, MADV_RANDOM), "mmap");
	places[count++] = map;
}

static void add_deep(const char *files)
{
	char path[PATH_MAX];
	size_t length = (size_t)snprintf(path, sizeof(path), "%s", files);
	for (int i = 0; i < DEEP; i++) {
		length += (size_t)snprintf(path + length, sizeof(path) - length, "/directory-number-%02d", i);
		must(!mkdir(path, 0700) || errno == EEXIST, path);
	}
	add_file(path, "deep");
}

/* The line of /proc/self/maps around an address, as far as its path goes; "" for none. */
static void print_line(char *place)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[PATH_MAX + 128];
	must(maps != NULL, "/proc/self/maps");
	while (fgets(line, sizeof(line), maps)) {
		unsigned long start, end, inode;
		unsigned int major, minor;
		int path = 0;
		if (sscanf(line, "%lx-%lx %*s %*x %x:%x %lu %n", &start, &end, &major, &minor, &inode, &path) < 5)
			continue;
		if ((uintptr_t)place < start || (uintptr_t)place >= end)
			continue;
		line[strcspn(line, "\n")] = 0;
		printf("{\"address\":\"%p\",\"path\":\"%s\",\"device\":\"%02x:%02x\",\"inode\":%lu}", (void *)place, line + path, major, minor, inode);
		fclose(maps);
		return;
	}
	die(3, "%p is not in /proc/self/maps", (void *)place);
}

int main(void)
{
	const char *files = getenv("FILES");
	const char *stacked = getenv("STACKED");
	char *heap, *named;
	int unlinked;

	uffd = open_uffd(UFFD_USER_MODE_ONLY);
	if (!files)
		die(2, "FILES is not set: run below test/vm/guest/files-setup");
	/* Whole pages at the end of the heap, which nobody else comes to. */
	heap = sbrk(0);
	must(sbrk((intptr_t)(5 * PAGE)) == heap, "sbrk");
	add((char *)(((uintptr_t)heap + 2 * PAGE) & ~(PAGE - 1)));
	named = map_pages(2);
	must(!prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, named, 2 * PAGE, "ring of buffers") || errno == EINVAL, "PR_SET_VMA");
	add(named);
	add(map_pages(2));
	add(map_fd(memfd_create("ring", MFD_CLOEXEC)));
	add(mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	unlinked = open("/dev/shm/mappings", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	add(map_fd(unlinked));
	must(!unlink("/dev/shm/mappings"), "unlink");
	add_file(files, "mappings");
	add_deep(files);
	if (stacked)
		add_file(stacked, "mappings");
	start_thread(handler, NULL);
	for (int i = 0; i < count; i++)
		(void)*(volatile char *)places[i];
	printf("{\"workload\":\"mappings\",\"pid\":%d,\"truth\":%d,\"addresses\":[", getpid(), count);
	for (int i = 0; i < count; i++)
		printf("%s\"%p\"", i ? "," : "", (void *)places[i]);
	printf("],\"mappings\":[");
	for (int i = 0; i < count; i++) {
		if (i)
			putchar(',');
		print_line(places[i]);
	}
	puts("]}");
	return 0;
}
