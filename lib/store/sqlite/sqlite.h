/* sqlite.h - the SQLite backend, for store.c to choose. Needs SQLite 3.40 or newer. */
#ifndef LF_STORE_SQLITE_SQLITE_H
#define LF_STORE_SQLITE_SQLITE_H

#include "store/backend.h"

extern const struct lf_store_backend LF_SQLITE_BACKEND;

#endif
