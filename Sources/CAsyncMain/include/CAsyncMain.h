// Installs the main executor before `main`: the code that the compiler writes for an async `main` asks for executors at once.
#ifndef SWIFT_UV_CASYNCMAIN_H
#define SWIFT_UV_CASYNCMAIN_H

/// Of UVMainExecutor. Ends the process with a sentence when the system refuses a loop.
void swift_uv_install_main_executor(void);

#endif
