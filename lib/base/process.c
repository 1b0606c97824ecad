/* process.c - see process.h. proc(5) says what stands in these files. */
#include "base/process.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* The fields of /proc/self/stat behind the program's name, which may itself hold brackets and spaces: from its last
 * bracket on they are numbers. They are counted from 1; the name is the second. */
static bool
read_stat(struct lf_process *process, int64_t *ret_started_ticks)
{
    char line[1024];
    FILE *file = fopen("/proc/self/stat", "re");
    size_t len = file != NULL ? fread(line, 1, sizeof line - 1, file) : 0;
    const char *at = NULL;
    int64_t pages = 0;

    if (file != NULL)
        (void)fclose(file);
    line[len] = '\0';
    at = strrchr(line, ')');
    if (at == NULL || sscanf(at + 1,
                             " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s" /* 3 to 19 */
                             " %" SCNd64 " %*s %" SCNd64 " %" SCNd64 " %" SCNd64,
                             &process->threads, ret_started_ticks, &process->virtual_bytes, &pages) != 4)
        return false;
    process->resident_bytes = pages * sysconf(_SC_PAGESIZE);
    return true;
}

/* When the system was started, in seconds since 1970. Not reckoned from the clocks: that would differ a little each
 * time, and the start of a process is what tells it from the next one. */
static bool
read_boot_time(int64_t *ret_seconds)
{
    char *line = NULL;
    size_t size = 0;
    bool found = false;
    FILE *file = fopen("/proc/stat", "re");

    if (file == NULL)
        return false;
    while (!found && getline(&line, &size, file) > 0)
        found = sscanf(line, "btime %" SCNd64, ret_seconds) == 1;
    free(line);
    (void)fclose(file);
    return found;
}

static bool
count_fds(int64_t *ret_count)
{
    DIR *folder = opendir("/proc/self/fd");
    int64_t count = 0;

    if (folder == NULL)
        return false;
    for (const struct dirent *entry = NULL; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    (void)closedir(folder);
    *ret_count = count - 1; /* the folder's own */
    return true;
}

enum lf_status
lf_process_read(struct lf_process *ret_process, struct lf_error *error)
{
    struct lf_process process = {.threads = 0};
    int64_t ticks = 0, booted = 0, ticks_per_second = sysconf(_SC_CLK_TCK);
    struct timespec cpu;
    struct rlimit limit;

    if (!read_stat(&process, &ticks) || !read_boot_time(&booted) || !count_fds(&process.open_fds) ||
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) != 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return lf_fail(error, LF_FILE, "/proc does not tell about this process");
    process.cpu_us = (int64_t)cpu.tv_sec * 1000000 + cpu.tv_nsec / 1000;
    process.started_ms = booted * 1000 + ticks * 1000 / ticks_per_second;
    process.max_fds = limit.rlim_cur == RLIM_INFINITY ? INT64_MAX : (int64_t)limit.rlim_cur;
    *ret_process = process;
    return LF_OK;
}
