#include "CSanitizers.h"

#if !defined(__has_feature)
#define __has_feature(feature) 0
#endif

int csanitizers_are_there(void) { return __has_feature(thread_sanitizer) || __has_feature(address_sanitizer); }
