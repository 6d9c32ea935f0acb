#include "CProcesses.h"

#include <stdlib.h>
#include <uv.h>

static int succeeded;
static int left;
static const char *next_program;

static int start(uv_loop_t *loop, uv_process_t *process, const char *program);

static void closed(uv_handle_t *handle) {
    uv_loop_t *loop = handle->loop;
    if (next_program == NULL || left == 0) return;
    left--;
    start(loop, (uv_process_t *)handle, next_program);
}

static void ended(uv_process_t *process, int64_t status, int signal) {
    if (status == 0 && signal == 0) succeeded++;
    uv_close((uv_handle_t *)process, closed);
}

static int start(uv_loop_t *loop, uv_process_t *process, const char *program) {
    char *arguments[] = {(char *)program, NULL};
    uv_process_options_t options = {.exit_cb = ended, .file = program, .args = arguments};
    int status = uv_spawn(loop, process, &options);
    if (status < 0) uv_close((uv_handle_t *)process, NULL);
    return status;
}

static int run(int at_once, const char *program) {
    uv_loop_t loop;
    uv_loop_init(&loop);
    uv_process_t *processes = calloc((size_t)at_once, sizeof *processes);
    succeeded = 0;
    int status = 0;
    for (int i = 0; i < at_once && status == 0; i++) status = start(&loop, &processes[i], program);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    free(processes);
    return status < 0 ? status : succeeded;
}

int cprocesses_run(int count, const char *program) {
    next_program = NULL;
    return run(count, program);
}

int cprocesses_run_in_turn(int count, const char *program) {
    next_program = program;
    left = count - 1;
    return run(1, program);
}
