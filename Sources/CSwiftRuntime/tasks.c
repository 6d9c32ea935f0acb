#include "CSwiftRuntime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The Swift runtime's; exported, and part of its ABI.
extern __attribute__((swiftcall)) void *swift_task_getCurrent(void);
extern __attribute__((swiftcall)) bool swift_task_isCancelled(void *task);

void *cruntime_current_task(void) { return swift_task_getCurrent(); }

int cruntime_current_task_is_cancelled(void) {
    void *task = swift_task_getCurrent();
    return task != NULL && swift_task_isCancelled(task);
}

// What `withTaskCancellationHandler` calls around its body. The record is memory of the task: last in, first out.
extern __attribute__((swiftcall)) void *swift_task_addCancellationHandler(
    __attribute__((swiftcall)) void (*handler)(__attribute__((swift_context)) void *), void *context);
extern __attribute__((swiftcall)) void swift_task_removeCancellationHandler(void *record);

static void (*cancel)(void *);

static __attribute__((swiftcall)) void canceled(__attribute__((swift_context)) void *context) { cancel(context); }

void cruntime_set_cancellation_handler(void (*handler)(void *)) { cancel = handler; }

void *cruntime_add_cancellation_handler(void *context) { return swift_task_addCancellationHandler(canceled, context); }

void cruntime_remove_cancellation_handler(void *record) { swift_task_removeCancellationHandler(record); }

// Where a task goes on: its function and context stand behind the job's header (MetadataABI's Job and AsyncTask), and each context
// begins with its caller's context and the function that goes on there. Compiled code builds on this layout, so it does not change.
// Every read is checked by the caller's function, because the contexts of a task that runs may be gone.
enum { resume_function = 7, resume_context = 8 };

int cruntime_task_frames(void *task, uintptr_t *frames, int most, int (*peek)(uintptr_t, uintptr_t *, int)) {
    uintptr_t words[2], before = 0;
    int count = 0;
    if (task == NULL || most < 1 || !peek((uintptr_t)task + resume_function * sizeof(uintptr_t), words, 2)) return 0;
    // Who looks an address up takes it for a return address and subtracts one; a task goes on at the start of a function.
    frames[count++] = words[0] + 1;
    uintptr_t context = words[1];
    while (count < most && context != before && peek(context, words, 2) && words[1] != 0) {
        if (words[1] + 1 != frames[count - 1]) frames[count++] = words[1] + 1;
        before = context;
        context = words[0];
    }
    return count;
}

extern __attribute__((swiftcall)) const char *swift_task_getCurrentTaskName(void) __attribute__((weak));

static int (*peek_memory)(uintptr_t, uintptr_t *, int);

void cruntime_set_peek(int (*peek)(uintptr_t, uintptr_t *, int)) { peek_memory = peek; }

int cruntime_describe_current_task(uintptr_t *frames, int most, char *name, size_t size) {
    void *task = swift_task_getCurrent();
    if (task == NULL) return -1;
    const char *found = swift_task_getCurrentTaskName ? swift_task_getCurrentTaskName() : NULL;
    size_t length = 0;
    while (found != NULL && length + 1 < size && found[length] != 0) {
        name[length] = found[length];
        length++;
    }
    name[length] = 0;
    return cruntime_task_frames(task, frames, most, peek_memory);
}
