#include "CHostLoop.h"

#include <stdint.h>
#include <stdlib.h>
#include <uv.h>

void *chost_make(void) {
    uv_loop_t *loop = malloc(sizeof *loop);
    if (uv_loop_init(loop) != 0) abort();
    loop->data = (void *)7;
    return loop;
}

int chost_close(void *loop) {
    int status = uv_loop_close(loop);
    if (status == 0) free(loop);
    return status;
}

long chost_data(void *loop) { return (long)((uv_loop_t *)loop)->data; }

int chost_run(void *loop, int mode) { return uv_run(loop, (uv_run_mode)mode); }

struct timer {
    uv_timer_t handle;
    int calls;
    void (*call)(void *);
    void *context;
};

static void fired(uv_timer_t *handle) {
    struct timer *timer = (struct timer *)handle;
    timer->calls++;
    if (timer->call != NULL) timer->call(timer->context);
}

void *chost_timer(void *loop, unsigned milliseconds, int repeats, void (*call)(void *), void *context) {
    struct timer *timer = malloc(sizeof *timer);
    uv_timer_init(loop, &timer->handle);
    timer->handle.data = (void *)1;
    timer->calls = 0;
    timer->call = call;
    timer->context = context;
    uv_timer_start(&timer->handle, fired, milliseconds, repeats ? milliseconds : 0);
    return timer;
}

int chost_timer_calls(void *timer) { return ((struct timer *)timer)->calls; }

static void freed(uv_handle_t *handle) { free(handle); }

void chost_close_timer(void *timer) { uv_close(timer, freed); }

void chost_unref(void *handle) { uv_unref(handle); }

static void close_one(uv_handle_t *handle, void *unused) {
    (void)unused;
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

void chost_close_all(void *loop) { uv_walk(loop, close_one, NULL); }

struct watch {
    uv_poll_t handle;
    void (*call)(void *);
    void *context;
};

static void ready(uv_poll_t *handle, int status, int events) {
    (void)status;
    (void)events;
    struct watch *watch = (struct watch *)handle;
    watch->call(watch->context);
}

void *chost_watch(void *loop, int descriptor, void (*call)(void *), void *context) {
    struct watch *watch = malloc(sizeof *watch);
    uv_poll_init(loop, &watch->handle, descriptor);
    watch->handle.data = (void *)1;
    watch->call = call;
    watch->context = context;
    uv_poll_start(&watch->handle, UV_READABLE, ready);
    return watch;
}

void chost_stop_watch(void *watch) { uv_poll_stop(watch); }

void chost_close_watch(void *watch) { uv_close(watch, freed); }

static void nothing(uv_work_t *unused) { (void)unused; }

static void worked(uv_work_t *request, int status) {
    (void)status;
    free(request);
}

int chost_work(void *loop) { return uv_queue_work(loop, malloc(sizeof(uv_work_t)), nothing, worked); }
