#include "CSwiftRuntime.h"

#include <stdbool.h>
#include <stddef.h>

// The Swift runtime's; exported, and part of its ABI.
extern __attribute__((swiftcall)) void *swift_task_getCurrent(void);
extern __attribute__((swiftcall)) bool swift_task_isCancelled(void *task);

void *cruntime_current_task(void) { return swift_task_getCurrent(); }

int cruntime_current_task_is_cancelled(void) {
    void *task = swift_task_getCurrent();
    return task != NULL && swift_task_isCancelled(task);
}

// An executor is two words; no executor in particular is two zeros.
extern __attribute__((swiftcall)) void swift_job_run(void *job, void *identity, void *implementation);

void cruntime_run_job(void *job) { swift_job_run(job, NULL, NULL); }

// What `withTaskCancellationHandler` calls around its body. The record is memory of the task: last in, first out.
extern __attribute__((swiftcall)) void *swift_task_addCancellationHandler(
    __attribute__((swiftcall)) void (*handler)(__attribute__((swift_context)) void *), void *context);
extern __attribute__((swiftcall)) void swift_task_removeCancellationHandler(void *record);

static void (*cancel)(void *);

static __attribute__((swiftcall)) void canceled(__attribute__((swift_context)) void *context) { cancel(context); }

void cruntime_set_cancellation_handler(void (*handler)(void *)) { cancel = handler; }

void *cruntime_add_cancellation_handler(void *context) { return swift_task_addCancellationHandler(canceled, context); }

void cruntime_remove_cancellation_handler(void *record) { swift_task_removeCancellationHandler(record); }
