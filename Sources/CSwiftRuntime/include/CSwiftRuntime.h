// The functions of the Swift runtime that the standard library does not show. All of them are part of its ABI.
#ifndef SWIFT_UV_CSWIFTRUNTIME_H
#define SWIFT_UV_CSWIFTRUNTIME_H

/// The address of the current Swift task, NULL outside of tasks.
void *cruntime_current_task(void);

/// Whether it has been cancelled: `Task.isCancelled` without the retain and release around it.
int cruntime_current_task_is_cancelled(void);

/// Runs a job on the calling thread, on no executor in particular.
void cruntime_run_job(void *job);

/// Sets what is called, on the thread that cancels, for a context that was added.
void cruntime_set_cancellation_handler(void (*handler)(void *));

/// From now on the current task's cancellation calls the handler with this context; at once when it is cancelled already.
/// The record goes to the other function, in the same task, in the reverse order.
void *cruntime_add_cancellation_handler(void *context);
void cruntime_remove_cancellation_handler(void *record);

#endif
