/* findings.c - see findings.h. */
#include "base/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
lf_findings_init(struct lf_findings *findings, struct lf_arena *arena)
{
    *findings = (struct lf_findings){.arena = arena};
}

static char *format_detail(struct lf_arena *arena, const char *format, va_list args) LF_PRINTF(2, 0);

static char *
format_detail(struct lf_arena *arena, const char *format, va_list args)
{
    va_list again;
    int len = 0;
    char *text = NULL;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        return NULL;
    text = lf_arena_alloc(arena, (size_t)len + 1);
    if (text != NULL)
        (void)vsnprintf(text, (size_t)len + 1, format, args);
    return text;
}

void
lf_findings_add(struct lf_findings *findings, const char *pointer, const char *code, const char *format, ...)
{
    va_list args;
    struct lf_finding *finding = NULL;

    if (findings->out_of_memory)
        return;
    if (findings->count == LF_FINDINGS_MAX) {
        findings->dropped++;
        return;
    }
    if (findings->items == NULL)
        findings->items = lf_arena_calloc(findings->arena, LF_FINDINGS_MAX, sizeof *findings->items);
    if (findings->items == NULL) {
        findings->out_of_memory = true;
        return;
    }
    finding = &findings->items[findings->count];
    finding->code = code;
    finding->pointer = lf_arena_copy(findings->arena, pointer, strlen(pointer));
    va_start(args, format);
    finding->detail = format_detail(findings->arena, format, args);
    va_end(args);
    if (finding->pointer == NULL || finding->detail == NULL) {
        findings->out_of_memory = true;
        return;
    }
    findings->count++;
}

void
lf_findings_append(struct lf_findings *findings, const char *prefix, const struct lf_findings *from)
{
    for (size_t i = 0; i < from->count; i++) {
        char *pointer = lf_arena_printf(findings->arena, "%s%s", prefix, from->items[i].pointer);

        if (pointer == NULL) {
            findings->out_of_memory = true;
            return;
        }
        lf_findings_add(findings, pointer, from->items[i].code, "%s", from->items[i].detail);
    }
    findings->dropped += from->dropped;
    findings->out_of_memory = findings->out_of_memory || from->out_of_memory;
}
