/* progress.c - see progress.h. */
#include "progress.h"

#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)

enum { REDRAW_NS = 100000000, BAR_MAX = 40, LINE_MAX_BYTES = 160 };

void
progress_init(struct progress *progress, bool allowed, uint64_t total)
{
    const char *terminal = getenv("TERM");

    *progress = (struct progress){
        .on = allowed && isatty(STDERR_FILENO) && (terminal == NULL || strcmp(terminal, "dumb") != 0),
        .total = total,
        .began_ns = lf_time_monotonic_ns(),
    };
}

static void
put(const char *text, size_t len)
{
    /* A bar that cannot be drawn is no reason to stop. */
    ssize_t ignored = write(STDERR_FILENO, text, len);

    (void)ignored;
}

static size_t
width(void)
{
    struct winsize size = {0};

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void
progress_step(struct progress *progress, uint64_t bytes, uint64_t leads)
{
    char text[LINE_MAX_BYTES], bar[BAR_MAX + 1];
    int64_t now = 0;
    double seconds = 0, done = 0;
    size_t columns = 0, cells = 0;
    int len = 0;

    if (!progress->on)
        return;
    now = lf_time_monotonic_ns();
    if (now - progress->began_ns < SECOND_NS || now - progress->drawn_ns < REDRAW_NS)
        return;
    seconds = (double)(now - progress->began_ns) / (double)SECOND_NS;
    if (progress->total > 0) {
        done = bytes < progress->total ? (double)bytes / (double)progress->total : 1;
        memset(bar, '-', BAR_MAX);
        memset(bar, '#', (size_t)(done * (double)BAR_MAX));
        bar[BAR_MAX] = '\0';
        len = snprintf(text, sizeof text, "[%s] %3d %%  %" PRIu64 " leads, %.0f a second", bar, (int)(done * 100),
                       leads, (double)leads / seconds);
    } else {
        len = snprintf(text, sizeof text, "%" PRIu64 " leads, %.0f a second", leads, (double)leads / seconds);
    }
    /* The last column stays free: a full line would wrap on some terminals. */
    columns = width();
    cells = len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    if (cells >= columns)
        cells = columns - 1;
    put("\r\033[K", 4);
    put(text, cells);
    progress->drawn = true;
    progress->drawn_ns = now;
}

void
progress_clear(struct progress *progress)
{
    if (progress->drawn)
        put("\r\033[K", 4);
    progress->drawn = false;
}
