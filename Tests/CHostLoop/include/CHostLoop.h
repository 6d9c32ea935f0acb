// A C program that owns a loop, for tests. Its handles have `data` that is no object: 1.
#ifndef SWIFT_UV_CHOSTLOOP_H
#define SWIFT_UV_CHOSTLOOP_H

/// A new loop, whose `data` is 7.
void *chost_make(void);

/// Closes and frees it. Returns libuv's status, and then nothing is freed.
int chost_close(void *loop);

/// What `data` of the loop is.
long chost_data(void *loop);

/// Runs it: 0 until nothing is left, 1 for a turn that may wait, 2 for one that does not. Returns whether it is alive.
int chost_run(void *loop, int mode);

/// Starts a timer that calls once, or again and again, and does not close itself. Its memory is not cleared before.
void *chost_timer(void *loop, unsigned milliseconds, int repeats, void (*call)(void *), void *context);
int chost_timer_calls(void *timer);
void chost_close_timer(void *timer);

/// Lets the loop end although the handle is active.
void chost_unref(void *handle);

/// Closes whatever uv_walk finds, as careless programs do.
void chost_close_all(void *loop);

/// Watches a descriptor with `uv_poll`, as a client of a database would; the call gets the context.
void *chost_watch(void *loop, int descriptor, void (*call)(void *), void *context);
void chost_stop_watch(void *watch);
void chost_close_watch(void *watch);

/// Gives the thread pool something that is done at once. Returns libuv's status.
int chost_work(void *loop);

#endif
