#include "CLinux.h"

#include <stdbool.h>
#include <stddef.h>

// The Swift runtime's; exported, and part of its ABI.
extern __attribute__((swiftcall)) void *swift_task_getCurrent(void);
extern __attribute__((swiftcall)) bool swift_task_isCancelled(void *task);

void *clinux_current_task(void) { return swift_task_getCurrent(); }

int clinux_current_task_is_cancelled(void) {
    void *task = swift_task_getCurrent();
    return task != NULL && swift_task_isCancelled(task);
}
