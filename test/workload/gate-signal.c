/* SPDX-License-Identifier: MIT */
/*
 * gate-signal killed|handled WAITERS: WAITERS threads stand at the swap gate on one page (gate.c) and get a signal there.
 *   killed   their process is killed: the wait (folio_wait_locked_killable) ends, and so does the process
 *   handled  each gets SIGUSR1, which has a handler; the wait goes on, the gate opens, the signal is pending at the
 *            fallback (fault_signal_pending): the fault ends there, the handler runs, the access faults anew
 * Truth: exactly WAITERS faults at `address` of process `pid` end in a signal after a RETRY; at most `more` others follow.
 * Below `swap-setup gate`.
 */
#include "gate.h"
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

static char *page;
static int dm;
static pid_t tids[MAX_THREADS];
static pthread_barrier_t ready, start;
static atomic_int handled, wrong;

static void count(int signal)
{
	handled += signal == SIGUSR1;
}

static void *waiter(void *index)
{
	tids[(long)index] = own_tid();
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&start);
	if (*(volatile char *)page != 42)
		wrong++;
	return NULL;
}

static void open_gate(void)
{
	set_gate(dm, "gate", 0);
}

/* Returns with all waiters of this process at the gate. */
static void stand_at_gate(pthread_t *thread, int waiters)
{
	pthread_barrier_init(&ready, NULL, (unsigned)waiters + 1);
	pthread_barrier_init(&start, NULL, (unsigned)waiters + 1);
	for (long i = 0; i < waiters; i++)
		thread[i] = start_thread(waiter, (void *)i);
	pthread_barrier_wait(&ready);
	must(!mlockall(MCL_CURRENT), "mlockall");
	must(!munlock(page, PAGE), "munlock");
	*page = 42;
	swap_out(page);
	let_go = open_gate;
	set_gate(dm, "gate", 1);
	pthread_barrier_wait(&start);
	must_sleep(tids, waiters, "folio_wait");
}

/* The child's part: tells when it stands at the gate, then waits to be killed. */
static void be_killed(int tell, int waiters)
{
	pthread_t thread[MAX_THREADS];
	stand_at_gate(thread, waiters);
	must(write(tell, "", 1) == 1, "write");
	for (;;)
		pause();
}

static pid_t kill_waiters(int waiters)
{
	int tell[2], status;
	pid_t child;
	char byte;

	must(!pipe(tell), "pipe");
	/* The child's reclaim takes from us as well, and then we stood at the gate that is ours to open. */
	must(!mlockall(MCL_CURRENT), "mlockall");
	child = fork();
	must(child >= 0, "fork");
	if (!child)
		be_killed(tell[1], waiters);
	close(tell[1]);
	if (read(tell[0], &byte, 1) != 1)
		die(3, "the waiters did not come to the gate");
	kill(child, SIGKILL);
	must(waitpid(child, &status, 0) == child, "waitpid"); /* with the gate still closed: the wait was ended */
	open_gate();
	return child;
}

static pid_t interrupt_waiters(int waiters)
{
	struct sigaction action = { .sa_handler = count };
	pthread_t thread[MAX_THREADS];

	must(!sigaction(SIGUSR1, &action, NULL), "sigaction");
	stand_at_gate(thread, waiters);
	for (int i = 0; i < waiters; i++)
		pthread_kill(thread[i], SIGUSR1);
	usleep(100000);
	if (handled) {
		open_gate();
		die(3, "%d signals were handled at the gate", handled);
	}
	open_gate();
	for (int i = 0; i < waiters; i++)
		pthread_join(thread[i], NULL);
	if (handled != waiters || wrong)
		die(3, "%d of %d signals were handled, %d reads saw a wrong page", handled, waiters, wrong);
	return getpid();
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int waiters = (int)number(argc, argv, 2, 8, 1, MAX_THREADS), killed = !strcmp(mode, "killed");
	pid_t pid;

	if (!killed && strcmp(mode, "handled"))
		die(2, "usage: gate-signal killed|handled [WAITERS]");
	dm = open_dm();
	page = map_fenced(1);
	pid = killed ? kill_waiters(waiters) : interrupt_waiters(waiters);
	printf("{\"workload\":\"gate-signal\",\"mode\":\"%s\",\"pid\":%d,\"address\":\"%p\",\"stride\":0,\"truth\":%d,\"more\":%d}\n",
	       mode, pid, (void *)page, waiters, killed ? 0 : waiters);
	return 0;
}
