/* read_all.h - a whole file for a benchmark, which ends when there is none to read. */
#ifndef LF_BENCH_READ_ALL_H
#define LF_BENCH_READ_ALL_H

#include <stdio.h>
#include <stdlib.h>

/* The caller frees it; NUL-terminated. */
static inline char *
read_all(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    long len = 0;

    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (len = ftell(file)) < 0)
        exit(1);
    rewind(file);
    text = malloc((size_t)len + 1);
    if (text == NULL || fread(text, 1, (size_t)len, file) != (size_t)len)
        exit(1);
    text[len] = '\0';
    *ret_len = (size_t)len;
    (void)fclose(file);
    return text;
}

#endif
