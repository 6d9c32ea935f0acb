// What the tests have to do with the sanitizers. That it is linked is enough for mutex.c.
#ifndef SWIFT_UV_CSANITIZERS_H
#define SWIFT_UV_CSANITIZERS_H

/// Whether the process was built with the thread sanitizer or the address sanitizer.
int csanitizers_are_there(void);

#endif
