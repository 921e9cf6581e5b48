/* SPDX-License-Identifier: MIT */
/*
 * writer-gate MODE WAITERS [CHANGES]: WAITERS threads stand at the swap gate on one page (gate.c) while one more thread
 * does, inside the gate:
 *   idle     nothing
 *   other    CHANGES times: mprotect of another VMA and back, mmap, munmap: mmap_lock for write 4 * CHANGES times
 *   held     the same, and when the gate opens mmap_lock is held for write (hold.h): each waiter queues behind `holder`
 *   protect  mprotect(PROT_READ) of the page's own VMA
 *   replace  mmap(MAP_FIXED) of another VMA over it
 *   gone     munmap of it; the waiters' SIGSEGV is caught
 * Truth: exactly WAITERS RETRYs at `address`, one of them with MAJOR (the first waiter, alone at first, starts the read;
 * the others find its folio locked). Between each attempt and its fallback mmap_lock was taken for write `writers` times.
 * `changed`, `opened`: CLOCK_MONOTONIC ns before and after the writer's change of the page's VMA and the gate's opening;
 * `joined`: when all waiters were back.
 * Below `swap-setup gate`; held needs $FILES as well.
 */
#include "hold.h"
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

enum mode { IDLE, OTHER, HELD, PROTECT, REPLACE, GONE, MODES };
static const char *const names[MODES] = { "idle", "other", "held", "protect", "replace", "gone" };

#define VALUE 42

static enum mode mode;
static char *page, *other;
static long changes;
static int dm;
static pid_t tids[MAX_THREADS], writer_tid;
static pthread_barrier_t ready, go[2], done, writer_go, writer_done;
static atomic_int wrong, segv;
static int64_t changed[2], opened[2], joined;
static __thread sigjmp_buf back;

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void caught(int signal)
{
	siglongjmp(back, signal);
}

static void *waiter(void *index)
{
	int expected = mode == REPLACE ? 0 : VALUE;
	tids[(long)index] = own_tid();
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&go[(long)index > 0]);
	if (sigsetjmp(back, 1))
		segv++;
	else if (*(volatile char *)page != expected)
		wrong++;
	pthread_barrier_wait(&done); /* nobody exits before all are back */
	return NULL;
}

static void change_other(void)
{
	for (long i = 0; i < changes; i++) {
		char *new;
		must(!mprotect(other, PAGE, PROT_READ) && !mprotect(other, PAGE, PROT_READ | PROT_WRITE), "mprotect");
		new = mmap(NULL, PAGE, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		must(new != MAP_FAILED && !munmap(new, PAGE), "mmap, munmap");
	}
}

static void *writer(void *unused)
{
	writer_tid = own_tid();
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&writer_go);
	changed[0] = now();
	if (mode == OTHER || mode == HELD)
		change_other();
	else if (mode == PROTECT)
		must(!mprotect(page, PAGE, PROT_READ), "mprotect");
	else if (mode == REPLACE)
		must(mmap(page, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page, "mmap(MAP_FIXED)");
	else if (mode == GONE)
		must(!munmap(page, PAGE), "munmap");
	changed[1] = now();
	pthread_barrier_wait(&writer_done);
	return unused;
}

static long writers(void)
{
	return mode == IDLE ? 0 : mode == OTHER ? 4 * changes : mode == HELD ? 4 * changes + 1 : 1;
}

static void open_gate(void)
{
	if (mode == HELD)
		hold_let_go();
	set_gate(dm, "gate", 0);
}

int main(int argc, char **argv)
{
	int waiters = (int)number(argc, argv, 2, 8, 2, MAX_THREADS - 1);
	struct sigaction action = { .sa_handler = caught };
	pthread_t thread[MAX_THREADS + 1];

	changes = number(argc, argv, 3, 5, 1, 100000);
	while (mode < MODES && (argc < 2 || strcmp(argv[1], names[mode])))
		mode++;
	if (mode == MODES)
		die(2, "usage: writer-gate idle|other|held|protect|replace|gone [WAITERS [CHANGES]]");
	must(!sigaction(SIGSEGV, &action, NULL), "sigaction");
	dm = open_dm();
	page = map_fenced(1);
	other = map_fenced(1);
	pthread_barrier_init(&ready, NULL, (unsigned)waiters + 2);
	pthread_barrier_init(&go[0], NULL, 2);
	pthread_barrier_init(&go[1], NULL, (unsigned)waiters);
	pthread_barrier_init(&done, NULL, (unsigned)waiters + 1);
	pthread_barrier_init(&writer_go, NULL, 2);
	pthread_barrier_init(&writer_done, NULL, 2);
	for (long i = 0; i < waiters; i++)
		thread[i] = start_thread(waiter, (void *)i);
	thread[waiters] = start_thread(writer, NULL);
	pthread_barrier_wait(&ready);
	if (mode == HELD)
		hold_prepare();
	/* Reclaim would take our text and the threads' stacks too; then they, or we, would stand at the gate for those. */
	must(!mlockall(MCL_CURRENT), "mlockall");
	must(!munlock(page, PAGE), "munlock");
	*page = VALUE;
	swap_out(page);

	let_go = open_gate;
	set_gate(dm, "gate", 1);
	pthread_barrier_wait(&go[0]);
	must_sleep(tids, 1, "folio_wait");
	pthread_barrier_wait(&go[1]);
	must_sleep(tids, waiters, "folio_wait");
	pthread_barrier_wait(&writer_go);
	pthread_barrier_wait(&writer_done);
	if (mode == HELD)
		hold_begin();
	opened[0] = now();
	set_gate(dm, "gate", 0);
	opened[1] = now();
	if (mode == HELD) {
		must_sleep(tids, waiters, "lock_mm_and_find_vma");
		hold_end();
	}
	pthread_barrier_wait(&done);
	joined = now();
	for (int i = 0; i <= waiters; i++)
		pthread_join(thread[i], NULL);
	if (wrong || segv != (mode == GONE ? waiters : 0))
		die(3, "%d reads saw a wrong page, %d saw none", wrong, segv);
	printf("{\"workload\":\"writer-gate\",\"mode\":\"%s\",\"pid\":%d,\"address\":\"%p\",\"waiters\":%d,\"truth\":%d,"
	       "\"writer\":%d,\"writers\":%ld,\"holder\":%d,\"changed\":[%lld,%lld],\"opened\":[%lld,%lld],\"joined\":%lld}\n",
	       names[mode], getpid(), (void *)page, waiters, waiters, writer_tid, writers(), hold.writer_tid,
	       (long long)changed[0], (long long)changed[1], (long long)opened[0], (long long)opened[1], (long long)joined);
	return 0;
}
