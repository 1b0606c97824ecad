/* embedded.h - a file that the program carries; schema/embed.py makes them at build time. Constant. */
#ifndef LF_BASE_EMBEDDED_H
#define LF_BASE_EMBEDDED_H

#include <stddef.h>

struct lf_embedded {
    const char *name;          /* the file's */
    const unsigned char *data; /* with a NUL behind it, for texts */
    size_t len;                /* bytes, without that NUL */
};

#endif
