// What of libuv Swift cannot import by itself: variadic functions, and later versions behind version checks.
#ifndef SWIFT_UV_CLIBUV_SHIM_H
#define SWIFT_UV_CLIBUV_SHIM_H

#include <uv.h>

#if UV_VERSION_HEX < 0x012C02
#error "swift-uv needs libuv 1.44.2 or newer"
#endif

static inline int clibuv_configure_metrics_idle_time(uv_loop_t *loop) {
    return uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
}

static inline int clibuv_configure_block_signal(uv_loop_t *loop, int signal) {
    return uv_loop_configure(loop, UV_LOOP_BLOCK_SIGNAL, signal);
}

#endif
