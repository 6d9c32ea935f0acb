// Shows the thread sanitizer what it cannot see of `Synchronization.Mutex` on Linux: the compiler puts the quick way of
// lock and unlock, two atomics, into our code, where they are seen; the way of threads that have to wait is in the Swift
// runtime, which is not instrumented. Unseen, each wait for a mutex would be reported as a race.
#define _GNU_SOURCE

#if defined(__linux__) && defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

extern void __tsan_acquire(void *address);
extern void __tsan_release(void *address);

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

// Methods of Swift: the handle comes in the register of `self`. The linker finds these before the runtime's.
typedef __attribute__((swiftcall)) void lock_slow(uint32_t, __attribute__((swift_context)) void *);
typedef __attribute__((swiftcall)) void unlock_slow(__attribute__((swift_context)) void *);

static void *of_runtime(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL) abort();
    return function;
}

__attribute__((swiftcall)) void mutex_lock_slow(uint32_t thread, __attribute__((swift_context)) void *handle)
    __asm__(LOCK_SLOW);
__attribute__((swiftcall)) void mutex_unlock_slow(__attribute__((swift_context)) void *handle) __asm__(UNLOCK_SLOW);

__attribute__((swiftcall)) void mutex_lock_slow(uint32_t thread, __attribute__((swift_context)) void *handle) {
    ((lock_slow *)of_runtime(LOCK_SLOW))(thread, handle);
    __tsan_acquire(handle);
}

__attribute__((swiftcall)) void mutex_unlock_slow(__attribute__((swift_context)) void *handle) {
    __tsan_release(handle);
    ((unlock_slow *)of_runtime(UNLOCK_SLOW))(handle);
}
#endif
#endif
