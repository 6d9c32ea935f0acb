// What of libuv Swift cannot import by itself: variadic functions, and later versions behind version checks.
#ifndef SWIFT_UV_CLIBUV_SHIM_H
#define SWIFT_UV_CLIBUV_SHIM_H

#if !__has_include(<uv.h>)
#error "libuv is missing: install libuv1-dev (Debian, Ubuntu), libuv-devel (Fedora) or libuv (Homebrew)"
#else

#include <string.h>
#include <uv.h>

#if UV_VERSION_HEX < 0x012C02
#error "swift-uv needs libuv 1.44.2 or newer"
#endif

// uv_write() tries at once unless bytes wait already. Right after uv_try_write() was short that is a system call that can only
// be refused: here libuv is made to wait until the stream is writable. It reads `write_queue_size`, which is documented as
// read-only, for this and for nothing else (1.44.2 to 1.52.1).
static inline int clibuv_write_later(
    uv_write_t *request, uv_stream_t *stream, const uv_buf_t buffers[], unsigned count, uv_write_cb callback) {
    stream->write_queue_size++;
    int status = uv_write(request, stream, buffers, count, callback);
    stream->write_queue_size--;
    return status;
}

// Whether the name in an event is that of the watched thing itself: libuv then passes a part of the handle's path, which for a
// directory looks like a name in it. It compares with the field `path`; read in 1.44.2 and 1.52.2.
static inline int clibuv_is_about_itself(const uv_fs_event_t *handle, const char *name) {
    return name == NULL
        || (handle->path != NULL && name >= handle->path && name <= handle->path + strlen(handle->path));
}

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
#endif
