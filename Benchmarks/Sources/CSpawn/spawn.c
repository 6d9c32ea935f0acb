#define _GNU_SOURCE
#include "CSpawn.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

pid_t spawn_pinned(int core, int output, char *const arguments[]) {
    pid_t child = fork();
    if (child != 0) return child;
    // Pinned before it starts: threads inherit the core, and a pool that counts cores counts one.
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    if (sched_setaffinity(0, sizeof cores, &cores) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0
        && dup2(output, STDOUT_FILENO) >= 0)
        execv(arguments[0], arguments);
    perror(arguments[0]);
    _exit(127);
}
