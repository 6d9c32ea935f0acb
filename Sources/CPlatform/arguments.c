#include "CPlatform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__APPLE__)
#include <crt_externs.h>

char **cplatform_arguments(int *count) {
    *count = *_NSGetArgc();
    return *_NSGetArgv();
}

void cplatform_forget_arguments(char **arguments) { (void)arguments; }
#elif defined(__linux__)

// The kernel tells where they are, whatever C library the program has: fields 48 and 49 of proc(5)'s stat.
static int find(char **start, char **end) {
    char text[1024];
    FILE *file = fopen("/proc/self/stat", "re");
    if (file == NULL) return 0;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    // The second field is the program's name, in parentheses, and may have anything in it.
    char *field = strrchr(text, ')');
    for (int number = 2; field != NULL && number < 48; number++) {
        field = strchr(field + 1, ' ');
    }
    unsigned long from, to;
    if (field == NULL || sscanf(field, "%lu %lu", &from, &to) != 2 || from == 0 || to <= from) return 0;
    *start = (char *)from;
    *end = (char *)to;
    return 1;
}

char **cplatform_arguments(int *count) {
    char *start, *end;
    *count = 0;
    if (!find(&start, &end) || end[-1] != 0) return NULL;
    int strings = 0;
    for (char *next = start; next < end; next += strlen(next) + 1) strings++;
    char **arguments = calloc((size_t)strings + 1, sizeof *arguments);
    if (arguments == NULL) return NULL;
    for (char *next = start; next < end; next += strlen(next) + 1) arguments[(*count)++] = next;
    return arguments;
}

void cplatform_forget_arguments(char **arguments) { free(arguments); }
#else
void cplatform_forget_arguments(char **arguments) { (void)arguments; }

char **cplatform_arguments(int *count) {
    *count = 0;
    return NULL;
}
#endif
