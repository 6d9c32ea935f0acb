#include "CAsyncMain.h"

// Constructors of shared libraries, such as the Swift runtime and libuv, have run by now.
static __attribute__((constructor)) void install_before_main(void) { swift_uv_install_main_executor(); }
