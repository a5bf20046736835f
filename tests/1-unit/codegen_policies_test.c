/* SPDX-License-Identifier: MIT */
/*
 * docs/policies.md does not rot.  In each chapter a block `sql schema` stands before the others:
 * with it a block `sql good` compiles without a finding, and a block `sql wrong` gives one finding,
 * which the block `text` after it quotes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "passes/check.h"
#include "syntax/parse.h"
#include "text/diag.h"
#include "text/source.h"

static size_t good, wrong;

/* All findings as they are printed; freed by the caller. */
static char *
findings_of(const char *schema, const char *snippet)
{
    struct ast ast = {0};
    const char *text = arena_printf("pgstack 1;\napp demo;\n%s%s", schema, snippet);
    char *printed = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&printed, &len);

    diag_reset();
    parse_source(&ast, source_from_text("demo.schema", text, strlen(text)));
    if (diag_errors() == 0)
        check_project(&ast);
    diag_print(out, false);
    fclose(out);
    return printed;
}

static void
expect_good(const char *schema, const char *snippet)
{
    char *printed = findings_of(schema, snippet);

    if (printed[0] != '\0')
        fail_msg("%s\n%s", snippet, printed);
    free(printed);
    good++;
}

static void
expect_wrong(const char *schema, const char *snippet, const char *message)
{
    char *printed = findings_of(schema, snippet);

    if (!strstr(printed, message) || diag_errors() + diag_warnings() != 1)
        fail_msg("%s\nwanted: %s\n%s", snippet, message, printed);
    free(printed);
    wrong++;
}

/* The text between a line that is `fence` and the next ```; moves `*at` behind it. */
static const char *
read_block(const char **at)
{
    const char *start = strchr(*at, '\n') + 1, *end = strstr(start, "```");

    assert_non_null(end);
    *at = end + 3;
    return arena_printf("%.*s", (int)(end - start), start);
}

static void
the_page_says_the_truth(void **state)
{
    const struct source *page = source_read(".", "docs/policies.md");
    const char *schema = "", *snippet = NULL;

    (void)state;
    assert_non_null(page);
    for (const char *at = page->text; (at = strstr(at, "```")) != NULL;) {
        const char *fence = at, *text = read_block(&at);

        if (strncmp(fence, "```sql schema\n", 14) == 0)
            schema = text;
        else if (strncmp(fence, "```sql good\n", 12) == 0)
            expect_good(schema, text);
        else if (strncmp(fence, "```sql wrong\n", 13) == 0)
            snippet = text;
        else if (strncmp(fence, "```text\n", 8) == 0 && snippet)
            expect_wrong(schema, snippet, text), snippet = NULL;
        else
            fail_msg("an unknown block: %.20s", fence);
    }
    assert_true(good >= 9 && wrong >= 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_says_the_truth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
