#include "CPlatform.h"

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#if defined(__linux__)
// libdispatch has them for CoreFoundation, without a header.
extern int _dispatch_get_main_queue_handle_4CF(void);
extern void _dispatch_main_queue_callback_4CF(void *unused);

int cplatform_main_queue_descriptor(void) { return _dispatch_get_main_queue_handle_4CF(); }

void cplatform_drain_main_queue(void) {
    // First the eventfd: undrained it would be readable for ever.
    uint64_t count;
    (void)!read(cplatform_main_queue_descriptor(), &count, sizeof count);
    _dispatch_main_queue_callback_4CF(NULL);
}
#else
int cplatform_main_queue_descriptor(void) { return -1; }
void cplatform_drain_main_queue(void) {}
#endif
