// A C program that owns its loop, and a service in Swift that runs on it. Ctrl-C ends both.
#include "service.h"

#include <signal.h>
#include <stdio.h>
#include <uv.h>

static uv_timer_t heartbeat;
static uv_signal_t signals[2];
static int beats;

static void beat(uv_timer_t *timer) {
    (void)timer;
    beats++;
}

static void listening(int port) {
    if (port > 0) {
        printf("listening on 127.0.0.1:%d\n", port);
        fflush(stdout);
    }
}

// The program closes its own handles, and lets Swift close its own. Then nothing is left, and uv_run returns.
static void leave(uv_signal_t *signal, int number) {
    (void)signal;
    (void)number;
    service_stop();
    uv_close((uv_handle_t *)&heartbeat, NULL);
    for (int i = 0; i < 2; i++) uv_close((uv_handle_t *)&signals[i], NULL);
}

int main(void) {
    uv_loop_t loop;
    if (uv_loop_init(&loop) != 0) return 1;
    uv_timer_init(&loop, &heartbeat);
    uv_timer_start(&heartbeat, beat, 0, 10);
    for (int i = 0; i < 2; i++) {
        uv_signal_init(&loop, &signals[i]);
        uv_signal_start(&signals[i], leave, i == 0 ? SIGINT : SIGTERM);
    }
    if (service_start(&loop, listening) != 0) {
        fprintf(stderr, "c-host: the service does not start\n");
        return 1;
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    printf("%d lines, %s heartbeats, the loop is closed: %s\n", service_lines(), beats > 0 ? "some" : "no",
           uv_loop_close(&loop) == 0 ? "yes" : "no");
    return 0;
}
