#include "CPlatform.h"

#include <stdlib.h>

void cplatform_keep_freed_memory(void) {
#if defined(__GLIBC__)
    // What malloc learns from a large block that is freed: it keeps twice as much at the end of its heap. Volatile, as
    // compilers leave away a block that nobody uses.
    void *volatile block = malloc(4 << 20);
    free(block);
#endif
}
