/* SPDX-License-Identifier: MIT */
/*
 * punch THREADS [MEBIBYTES]: THREADS threads read a page each of a memfd, over and over, without a system call, while a
 * hole is punched over all of it. A thread whose page is unmapped faults, finds the punch under way (shmem_falloc_wait)
 * and sleeps until it is over.
 * Truth: as many RETRYs from shmem_fault as threads slept (a voluntary context switch of a thread that makes no system
 * call); a thread whose fault came too late has none. At least one, or the workload fails. `slept` says at which pages.
 */
#include "common.h"
#include <stdatomic.h>
#include <sys/resource.h>

#define MAX_PAGES 64

static char *region;
static size_t size, apart;
static atomic_int running;
static long slept[MAX_PAGES];

static long voluntary_switches(void)
{
	struct rusage usage;
	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw;
}

static void *reader(void *index)
{
	volatile char *byte = region + (size_t)((long)index + 1) * apart;
	long before;
	(void)*byte; /* mapped */
	(void)voluntary_switches();
	running++;
	before = voluntary_switches();
	while (*byte)
		;
	slept[(long)index] = voluntary_switches() - before;
	return NULL;
}

int main(int argc, char **argv)
{
	long threads = number(argc, argv, 1, 4, 1, MAX_PAGES), waits = 0;
	pthread_t thread[MAX_PAGES];
	int fd = memfd_create("punch", MFD_CLOEXEC);

	size = (size_t)number(argc, argv, 2, 256, 1, 4096) << 20;
	apart = size / (size_t)(threads + 1) / PAGE * PAGE;
	must(fd >= 0 && !ftruncate(fd, (off_t)size), "memfd");
	region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(region != MAP_FAILED, "mmap");
	small_pages(region, size);
	for (size_t i = 0; i < size; i += PAGE)
		region[i] = 1;
	must(!mlockall(MCL_CURRENT), "mlockall");
	must(!munlock(region, size), "munlock");
	for (long i = 0; i < threads; i++)
		thread[i] = start_thread(reader, (void *)i);
	while (running < threads)
		usleep(1000);
	usleep(50000);
	must(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size), "fallocate(FALLOC_FL_PUNCH_HOLE)");
	for (long i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	for (long i = 0; i < threads; i++)
		waits += slept[i];
	if (!waits)
		die(3, "the punch was over before a thread met it; give more memory");
	printf("{\"workload\":\"punch\",\"pid\":%d,\"truth\":%ld,\"addresses\":[", getpid(), waits);
	for (long i = 0, n = 0; i < threads; i++)
		if (slept[i])
			printf("%s\"%p\"", n++ ? "," : "", (void *)(region + (size_t)(i + 1) * apart));
	puts("]}");
	return 0;
}
