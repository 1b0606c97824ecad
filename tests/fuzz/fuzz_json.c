/*
 * fuzz_json.c - libFuzzer target for the JSON door, the tree behind it and the writers.
 *
 * Whatever the bytes are: what the door lets in cJSON can read; what is written can be read again and is written the
 * same; the canonical form of the canonical form is itself; what is refused has a place within the text.
 */
#include "base/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool truth)
{
    if (!truth)
        abort();
}

static const struct lf_json *
parse(struct lf_arena *arena, const char *text, size_t len)
{
    const struct lf_json *root = NULL;
    struct lf_error error;

    require(lf_json_parse(arena, text, len, &LF_JSON_DOCUMENT_LIMITS, &root, &error) == LF_OK);
    require(root != NULL);
    return root;
}

static struct lf_buf
write_tree(struct lf_arena *arena, const struct lf_json *root)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, SIZE_MAX / 4);
    lf_json_put_tree(&buf, root);
    require(!lf_buf_failed(&buf));
    return buf;
}

static struct lf_buf
write_canonical(struct lf_arena *arena, const struct lf_json *root)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, SIZE_MAX / 4);
    require(lf_json_put_canonical(&buf, arena, root));
    require(!lf_buf_failed(&buf));
    return buf;
}

static void
require_same(const struct lf_buf *a, const struct lf_buf *b)
{
    require(a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct lf_arena *arena; /* kept from run to run */
    const char *text = (const char *)data;
    struct lf_error error = {.status = LF_OK};
    enum lf_status status = LF_OK;

    if (arena == NULL) {
        lf_json_setup();
        arena = lf_arena_create(1 << 16, 1u << 30);
        require(arena != NULL);
    }
    lf_arena_reset(arena);
    status = lf_json_check(arena, text, size, &LF_JSON_DOCUMENT_LIMITS, &error);
    require(status == error.status);
    if (status == LF_OK) {
        const struct lf_json *first = parse(arena, text, size);
        struct lf_buf tree = write_tree(arena, first), canonical = write_canonical(arena, first);
        const struct lf_json *second = parse(arena, tree.data, tree.len);
        struct lf_buf tree_again = write_tree(arena, second), canonical_again = write_canonical(arena, second);

        require_same(&tree, &tree_again);
        require_same(&canonical, &canonical_again);
        canonical_again = write_canonical(arena, parse(arena, canonical.data, canonical.len));
        require_same(&canonical, &canonical_again);
    } else if (status != LF_BODY_TOO_LARGE && status != LF_OUT_OF_MEMORY) {
        require(error.offset >= 0 && (size_t)error.offset <= size);
        require(error.pointer[0] == '\0' || error.pointer[0] == '/');
        require(error.detail[0] != '\0');
    }
    return 0;
}
