#include "CFuzz.h"

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// In Swift; in debug builds only.
__attribute__((weak)) int cfuzz_body(const uint8_t *bytes, size_t count);

#if defined(__has_feature)
#if __has_feature(coverage_sanitizer)
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) { return cfuzz_body(bytes, count); }
#endif
#endif

void cfuzz_run(const char *path) {
    DIR *folder = opendir(path);
    if (folder != NULL) {
        for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
            if (entry->d_name[0] == '.') continue;
            char inner[4096];
            snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
            cfuzz_run(inner);
        }
        closedir(folder);
        return;
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) return;
    uint8_t *bytes = malloc(1 << 20);
    size_t count = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    cfuzz_body(bytes, count);
    free(bytes);
}
