// How parsers get what somebody made up.
#ifndef SWIFT_UV_CFUZZ_H
#define SWIFT_UV_CFUZZ_H

/// Tries a file, or all files of a directory, once.
void cfuzz_run(const char *path);

#endif
