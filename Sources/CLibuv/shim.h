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

// Ends the loop's wait for events, from any thread, by the handle with which libuv's threads tell that they are done. It is
// a private field of the loop; read in 1.44.2 and 1.52.2.
static inline void clibuv_wake(uv_loop_t *loop) { uv_async_send(&loop->wq_async); }

// Marks a handle as libuv's own: it does not keep a loop from being closed, and uv_walk does not find it. The flag is
// UV_HANDLE_INTERNAL of uv-common.h; read in 1.44.2 and 1.52.2.
static inline void clibuv_hide(uv_prepare_t *handle) { handle->flags |= 0x10; }

#endif
