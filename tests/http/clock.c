/*
 * clock.c - the time of day as a test wants it, preloaded into a program: the milliseconds since 1970 that stand, as a
 * 64-bit number, at the beginning of the file named by LF_CLOCK. Clocks that only measure are left as they are.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *now_ms;

__attribute__((constructor)) static void
find_clock(void)
{
    const char *path = getenv("LF_CLOCK");
    int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    void *found = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *now_ms, PROT_READ, MAP_SHARED, file, 0);

    if (file >= 0)
        (void)close(file);
    if (found == MAP_FAILED)
        abort(); /* a test without its clock would tell nothing */
    now_ms = found;
}

int
clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    if (now_ms == NULL || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return (int)syscall(SYS_clock_gettime, clock, ret_time);
    *ret_time = (struct timespec){.tv_sec = *now_ms / 1000, .tv_nsec = *now_ms % 1000 * 1000000};
    return 0;
}

time_t
time(time_t *ret_time)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (ret_time != NULL)
        *ret_time = now.tv_sec;
    return now.tv_sec;
}
