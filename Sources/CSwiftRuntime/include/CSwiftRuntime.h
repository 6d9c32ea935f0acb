// The functions of the Swift runtime that the standard library does not show. All of them are part of its ABI.
#ifndef SWIFT_UV_CSWIFTRUNTIME_H
#define SWIFT_UV_CSWIFTRUNTIME_H

#include <stddef.h>
#include <stdint.h>

/// The address of the current Swift task, NULL outside of tasks.
void *cruntime_current_task(void);

/// Whether it has been cancelled: `Task.isCancelled` without the retain and release around it.
int cruntime_current_task_is_cancelled(void);

/// Sets what is called, on the thread that cancels, for a context that was added.
void cruntime_set_cancellation_handler(void (*handler)(void *));

/// From now on the current task's cancellation calls the handler with this context; at once when it is cancelled already.
/// The record goes to the other function, in the same task, in the reverse order.
void *cruntime_add_cancellation_handler(void *context);
void cruntime_remove_cancellation_handler(void *record);

/// Where a suspended task goes on, and where its callers do, innermost first: how many addresses. Of a task that runs, as it was
/// when it was suspended last. `peek` copies words of memory, and returns 0 where there is none.
int cruntime_task_frames(void *task, uintptr_t *frames, int most, int (*peek)(uintptr_t, uintptr_t *, int));

/// What copies words of memory for ``cruntime_describe_current_task``.
void cruntime_set_peek(int (*peek)(uintptr_t, uintptr_t *, int));
/// The current task's frames and name: how many frames, -1 without a task. Safe in a handler of a signal.
int cruntime_describe_current_task(uintptr_t *frames, int most, char *name, size_t size);

#endif
