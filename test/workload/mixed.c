/* SPDX-License-Identifier: MIT */
/*
 * mixed SECONDS [FAULTS]: faults of all sorts at once, in one process and its children, for SECONDS and until the process
 * had FAULTS of them. Each sort is a thread or two:
 *   swap       a region swapped out with MADV_PAGEOUT and walked by two threads in step
 *   touch      first touches of anonymous pages, given back with MADV_DONTNEED
 *   fresh      first touches of new VMAs (anon_vma), beside mapping
 *   flags      the touched VMA's flags change under the touches (write-locked VMAs)
 *   file       pages of a file that are dropped from the page cache, read; and written through a shared mapping ($FILES)
 *   shmem      pages of a memfd, punched out again
 *   userfault  missing pages, filled by another thread
 *   fork       children that write what they share, touch a memfd_secret, and a hole (SIGSEGV caught)
 * Truth: `faults` the kernel counted for the process and its children (each at most once: no RETRY, no error), of which
 * those of kernel mode and get_user_pages are not user faults; `segv` faults that found no VMA.
 * Below `swap-setup` of any kind; without $FILES there is no file part.
 */
#include "mixed_files.h"
#include "uffd.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static int over; /* stop, as all who meet at `turn` see it */
static char *swapped, *touched, *missing;
static pthread_barrier_t turn;
static int uffd;
static atomic_long segv;
static sigjmp_buf back;

static void *walk(void *index)
{
	for (;;) {
		pthread_barrier_wait(&turn);
		if (over)
			return NULL;
		for (long i = 0; i < PAGES; i++) {
			volatile char *byte = at(swapped, i) + (long)index;
			if (index)
				++*byte;
			else
				(void)*byte;
		}
		pthread_barrier_wait(&turn);
	}
}

static void *page_out(void *unused)
{
	for (;;) {
		madvise(swapped, PAGES * PAGE, MADV_PAGEOUT);
		for (int i = 0; i < 20 && !stop && resident(swapped, PAGES) > PAGES / 8; i++) {
			reclaim(PAGES);
			usleep(2000);
		}
		over = stop;
		pthread_barrier_wait(&turn);
		if (over)
			return unused;
		pthread_barrier_wait(&turn);
		parts[0]++;
	}
}

static void *touch(void *unused)
{
	while (!stop) {
		write_all(touched, PAGES);
		madvise(touched, PAGES * PAGE, MADV_DONTNEED);
		parts[1]++;
	}
	return unused;
}

static void *fresh(void *unused)
{
	while (!stop) {
		char *all = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		must(all != MAP_FAILED && !mprotect(all + PAGE, PAGE, PROT_READ | PROT_WRITE), "mmap");
		all[PAGE] = 1;
		munmap(all, 3 * PAGE);
		parts[2]++;
	}
	return unused;
}

static void *flags(void *unused)
{
	for (int i = 0; !stop; i++) {
		madvise(touched, PAGES * PAGE, i & 1 ? MADV_DOFORK : MADV_DONTFORK);
		usleep(500);
		parts[3]++;
	}
	return unused;
}

static void *fill(void *source)
{
	while (await_fault(uffd, 100) >= 0 && stop < 2) {
		char *page = faulted_page(uffd);
		if (page)
			fill_page(uffd, page, source);
	}
	return NULL;
}

static void *miss(void *unused)
{
	while (!stop) {
		for (long i = 0; i < PAGES && !stop; i++)
			(void)*(volatile char *)at(missing, i);
		madvise(missing, PAGES * PAGE, MADV_DONTNEED);
		parts[6]++;
	}
	return unused;
}

static void caught(int signal)
{
	segv++;
	siglongjmp(back, signal);
}

/* One thread alone forks, and its children take the signal, so one place to come back to is enough. */
static long child(char *mine)
{
	int secret = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
	char *hole = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	write_all(mine, PAGES);
	if (secret >= 0 && !ftruncate(secret, 8 * PAGE)) {
		char *map = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, secret, 0);
		if (map != MAP_FAILED)
			write_all(map, 8);
	}
	munmap(hole, PAGE);
	if (!sigsetjmp(back, 1))
		*(volatile char *)hole = 1;
	return segv;
}

static void *fork_often(void *mine)
{
	while (!stop) {
		int status = 0;
		pid_t pid = fork();
		must(pid >= 0, "fork");
		if (!pid) {
			segv = 0;
			_exit((int)child(mine));
		}
		write_all(mine, PAGES);
		waitpid(pid, &status, 0);
		if (!WIFEXITED(status))
			die(3, "a child was killed by signal %d", WTERMSIG(status));
		segv += WEXITSTATUS(status);
		parts[7]++;
		usleep(20000); /* a fork stops all of it */
	}
	return NULL;
}

static long faults(void)
{
	struct rusage own, children;
	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &children);
	return own.ru_minflt + own.ru_majflt + children.ru_minflt + children.ru_majflt;
}

int main(int argc, char **argv)
{
	long limit = number(argc, argv, 1, 30, 1, 3600), wanted = number(argc, argv, 2, 100000, 0, 1L << 30);
	double begin = seconds(CLOCK_MONOTONIC);
	struct sigaction action = { .sa_handler = caught };
	pthread_t thread[16];
	char *files = getenv("FILES"), *source = map_pages(1), *shared = map_pages(PAGES);
	int n = 0, fill_thread;

	must(!sigaction(SIGSEGV, &action, NULL), "sigaction");
	must(!mlockall(MCL_CURRENT), "mlockall"); /* reclaim shall find the regions, not our text */
	must(!munlock(shared, PAGES * PAGE), "munlock");
	swapped = map_pages(PAGES);
	touched = map_pages(PAGES);
	missing = map_pages(PAGES);
	for (size_t i = 0; i < PAGES * PAGE; i++) /* pages of one value would not reach the swap device */
		swapped[i] = (char)(i * 2654435761u >> 13);
	memset(source, 7, PAGE);
	uffd = open_uffd(UFFD_USER_MODE_ONLY);
	register_uffd(uffd, missing, PAGES * PAGE, UFFDIO_REGISTER_MODE_MISSING);
	pthread_barrier_init(&turn, NULL, 3);
	thread[n++] = start_thread(walk, (void *)0);
	thread[n++] = start_thread(walk, (void *)1);
	thread[n++] = start_thread(page_out, NULL);
	thread[n++] = start_thread(touch, NULL);
	thread[n++] = start_thread(fresh, NULL);
	thread[n++] = start_thread(flags, NULL);
	thread[n++] = start_thread(shmem, NULL);
	thread[n++] = start_thread(fork_often, shared);
	if (files)
		thread[n++] = start_thread(file, files);
	thread[n++] = start_thread(miss, NULL);
	fill_thread = n;
	thread[n++] = start_thread(fill, source);
	while (seconds(CLOCK_MONOTONIC) - begin < (double)limit || faults() < wanted)
		usleep(50000);
	stop = 1;
	for (int i = 0; i < fill_thread; i++)
		pthread_join(thread[i], NULL);
	stop = 2; /* the one before still needed it */
	pthread_join(thread[fill_thread], NULL);
	printf("{\"workload\":\"mixed\",\"pid\":%d,\"seconds\":%.1f,\"faults\":%ld,\"segv\":%ld,\"rounds\":[", getpid(),
	       seconds(CLOCK_MONOTONIC) - begin, faults(), (long)segv);
	for (int i = 0; i < 8; i++)
		printf("%s%ld", i ? "," : "", (long)parts[i]);
	puts("]}");
	return 0;
}
