// What of libuv Swift cannot import by itself: variadic functions, and later versions behind version checks.
#ifndef SWIFT_UV_CLIBUV_SHIM_H
#define SWIFT_UV_CLIBUV_SHIM_H

#if !__has_include(<uv.h>)
#error "libuv is missing: install libuv1-dev (Debian, Ubuntu), libuv-devel (Fedora) or libuv (Homebrew)"
#else

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#if UV_VERSION_HEX < 0x012C02
#error "swift-uv needs libuv 1.44.2 or newer. Ubuntu 22.04 has 1.43: take 24.04, or build libuv and set PKG_CONFIG_PATH"
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

// What libuv prints of a loop's handles, to be freed; null when there is no memory.
static inline char *clibuv_handle_list(uv_loop_t *loop, int only_active) {
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (stream == NULL) return NULL;
    if (only_active) uv_print_active_handles(loop, stream);
    else uv_print_all_handles(loop, stream);
    return fclose(stream) == 0 ? text : NULL;
}

// Functions of later versions are found when the program starts, if the libuv that runs has them.
#if UV_VERSION_HEX < 0x012D00
typedef struct {
    uint64_t loop_count, events, events_waiting, *reserved[13];
} uv_metrics_t;
extern int uv_metrics_info(uv_loop_t *loop, uv_metrics_t *metrics) __attribute__((weak));
#define CLIBUV_HAS_METRICS (uv_metrics_info != NULL)
#else
#define CLIBUV_HAS_METRICS 1
#endif

// Fills in the loop's counters. Returns 0 if this libuv has none (before 1.45).
static inline int clibuv_metrics(uv_loop_t *loop, uv_metrics_t *metrics) {
    return CLIBUV_HAS_METRICS && uv_metrics_info(loop, metrics) == 0;
}

// Ends the loop's wait for events, from any thread, by the handle with which libuv's threads tell that they are done. It is
// a private field of the loop; read in 1.44.2 and 1.52.2.
static inline void clibuv_wake(uv_loop_t *loop) { uv_async_send(&loop->wq_async); }

// Gives a new handle a connected socket that does not block, as uv_accept() does. uv_tcp_open() asks the system to make it so once
// more. The flags are UV_HANDLE_READABLE and UV_HANDLE_WRITABLE of uv-common.h; read in 1.44.2 and 1.52.1, later ones are asked.
static inline int clibuv_adopt(uv_tcp_t *handle, int socket) {
#ifdef __linux__
    // The libuv that runs, which may be newer than this header.
    if (uv_version() < 0x013500) {
        handle->flags |= 0x4000 | 0x8000;
        handle->io_watcher.fd = socket;
        return 0;
    }
#endif
    return uv_tcp_open(handle, socket);
}

// Marks a handle as libuv's own: it does not keep a loop from being closed, and uv_walk does not find it. The flag is
// UV_HANDLE_INTERNAL of uv-common.h; read in 1.44.2 and 1.52.2.
static inline void clibuv_hide(uv_prepare_t *handle) { handle->flags |= 0x10; }

// Marks the handles of this library, because C code may have handles on the same loop, whose `data` is its own. The last of the four
// words that libuv keeps in reserve holds the handle's address, scrambled; it is taken off before the memory is freed, so that the
// C code's next handle in the same place has no mark. libuv uses the first word only; read in 1.44.2 and 1.52.1.
#define CLIBUV_MARK(handle) ((void *)((uintptr_t)(handle) ^ (uintptr_t)0x5377696674205576u))

static inline void clibuv_mark(uv_handle_t *handle) { handle->u.reserved[3] = CLIBUV_MARK(handle); }

static inline void clibuv_unmark(uv_handle_t *handle) { handle->u.reserved[3] = NULL; }

static inline int clibuv_is_marked(const uv_handle_t *handle) { return handle->u.reserved[3] == CLIBUV_MARK(handle); }

#endif
#endif
