/* SPDX-License-Identifier: MIT */
/*
 * The first byte chooses a type, the rest is a value in text form.  Whatever it is, the answer must
 * be JSON.  What PostgreSQL alone can send unquoted (numbers, json) is
 * left out where the bytes are none.
 */
#include "base/utf8.h"
#include "codec/json_write.h"
#include "fuzz_heap.h"
#include "fuzz_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum pgs_kind kinds[] = {PGS_BOOL, PGS_TEXT,      PGS_ENUM,        PGS_BYTEA,
                                      PGS_VOID, PGS_TIMESTAMP, PGS_TIMESTAMPTZ, PGS_COMPOSITE};

static const struct pgs_column inner[] = {
    PGS_COLUMN("a \"quoted\"", "a", PGS_BOOL, "boolean", true),
    PGS_ARRAY_COLUMN("b", "b", PGS_TEXT, "text", NULL, true),
};

static const struct pgs_column outer[] = {
    PGS_COLUMN("a", "a", PGS_TEXT, "text", true),
    PGS_COMPOSITE_COLUMN("b", "b", "inner", inner, true),
    PGS_COMPOSITE_ARRAY_COLUMN("c", "c", "inner", inner, true),
};

/* PostgreSQL's timestamps have nothing to escape. */
static bool
is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == '"' || text[i] == '\\')
            return false;
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pgs_type type = {.fields = outer, .n_fields = PGS_COUNT(outer)};
    struct pgs_buf out;
    const char *text;

    if (size == 0)
        return 0;
    type.kind = kinds[data[0] % PGS_COUNT(kinds)];
    type.array = data[0] >= 128;
    text = heap_copy(data + 1, size - 1);
    if (pgs_utf8_check(text, size - 1) == size - 1 && memchr(text, '\0', size - 1) == NULL &&
        (type.kind < PGS_TIMESTAMP || type.kind > PGS_TIMESTAMPTZ || is_plain(text, size - 1))) {
        pgs_buf_init(&out, data[0] % 2 == 0 ? 0 : 64);
        pgs_json_value(&out, &type, text, size - 1);
        if (!out.failed && !is_json(out.at, out.len))
            abort();
        pgs_buf_clear(&out);
    }
    heap_free_all();
    return 0;
}
