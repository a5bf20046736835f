/* SPDX-License-Identifier: MIT */
/*
 * `pgstack migration snapshot`: what is released from now on, as one file of the language.  It is
 * the sources one after the other, in the order in which they are read, in canonical form.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/snapshot.h"
#include "format/format.h"
#include "syntax/parse.h"

#define TEMPORARY "migrations/.current.schema"

static const char head[] = "-- The last released model.  Written by `pgstack migration snapshot`: "
                           "changes are held against\n"
                           "-- it, and nothing else reads it.\n";

/* Each source under its path; each says its version and so does the whole. */
static struct str
join_sources(void)
{
    struct ast ast = {0};
    struct str text = {0};

    parse_project(&ast, ".");
    str_puts(&text, head);
    for (size_t i = 0; i < ast.files.n; i++) {
        const char *formatted = format_source(ast.files.at[i]);

        str_printf(&text, "\n-- %s\n\n", ast.files.at[i]->path);
        str_puts(&text, formatted ? formatted : ast.files.at[i]->text);
    }
    return text;
}

static bool
is_written(const struct str *text)
{
    struct source *old = source_read(".", LAST_MODEL);

    return old && old->len == text->n && memcmp(old->text, text->at, text->n) == 0;
}

static bool
write_whole(const struct str *text)
{
    FILE *file;
    bool ok;

    if (mkdir("migrations", 0777) != 0 && errno != EEXIST)
        return false;
    file = fopen(TEMPORARY, "w");
    if (!file)
        return false;
    ok = fwrite(text->at, 1, text->n, file) == text->n;
    ok = fflush(file) == 0 && fsync(fileno(file)) == 0 && ok;
    ok = fclose(file) == 0 && ok;
    if (ok && rename(TEMPORARY, LAST_MODEL) == 0)
        return true;
    (void)unlink(TEMPORARY);
    return false;
}

int
cmd_snapshot(void)
{
    struct str text;

    if (!cmd_load())
        return CMD_FAILED;
    text = join_sources();
    if (text.n > SOURCE_MAX_BYTES)
        return cmd_fail("%s: larger than %zu MiB", LAST_MODEL, SOURCE_MAX_BYTES >> 20);
    if (is_written(&text)) {
        puts(LAST_MODEL " is up to date");
        return CMD_OK;
    }
    if (!write_whole(&text))
        return cmd_fail("%s: %s", LAST_MODEL, strerror(errno));
    puts(LAST_MODEL " written");
    return CMD_OK;
}
