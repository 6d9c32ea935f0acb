#define _GNU_SOURCE
#include "CWakeUp.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

struct wake_up {
    uv_loop_t loop;
    uv_async_t async;
    uv_thread_t thread;
    atomic_ullong count;
    atomic_bool stopped;
};

static void woken(uv_async_t *async) {
    struct wake_up *wake_up = async->data;
    if (atomic_load(&wake_up->stopped)) uv_close((uv_handle_t *)async, NULL);
    atomic_fetch_add_explicit(&wake_up->count, 1, memory_order_release);
}

static void run(void *argument) {
    struct wake_up *wake_up = argument;
    uv_run(&wake_up->loop, UV_RUN_DEFAULT);
    uv_loop_close(&wake_up->loop);
}

struct wake_up *wake_up_start(void) {
    struct wake_up *wake_up = calloc(1, sizeof *wake_up);
    if (wake_up == NULL || uv_loop_init(&wake_up->loop) != 0
        || uv_async_init(&wake_up->loop, &wake_up->async, woken) != 0) return NULL;
    wake_up->async.data = wake_up;
    return uv_thread_create(&wake_up->thread, run, wake_up) == 0 ? wake_up : NULL;
}

void wake_up_send(struct wake_up *wake_up) { uv_async_send(&wake_up->async); }

uint64_t wake_up_count(struct wake_up *wake_up) {
    return atomic_load_explicit(&wake_up->count, memory_order_acquire);
}

void wake_up_stop(struct wake_up *wake_up) {
    atomic_store(&wake_up->stopped, true);
    uv_async_send(&wake_up->async);
    uv_thread_join(&wake_up->thread);
    free(wake_up);
}

uint64_t wake_up_clock(void) { return uv_hrtime(); }

uint64_t thread_cpu_clock(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}
