/* SPDX-License-Identifier: MIT */
/* What is known of a name, in a line of the language and a few of prose. */
#include <string.h>

#include "lsp/parts.h"
#include "model/access.h"
#include "model/types.h"
#include "sql/sql.h"

/* ---- words of the sources ---- */

/* The text of an expression, its white space as one blank. */
static const char *
words_of(struct span span)
{
    struct str out = {0};

    str_puts(&out, "");
    for (size_t i = span.start; span.file && i < span.end; i++) {
        bool blank = strchr(" \t\n", span.file->text[i]) != NULL;

        if (!blank)
            str_putc(&out, span.file->text[i]);
        else if (out.n > 0 && out.at[out.n - 1] != ' ')
            str_putc(&out, ' ');
    }
    return out.at;
}

static size_t
start_of_line(const char *text, size_t at)
{
    while (at > 0 && text[at - 1] != '\n')
        at--;
    return at;
}

/* The `--` comments above a declaration, and the one behind it. */
static void
put_comments(struct str *out, struct span span)
{
    const char *text = span.file ? span.file->text : "";
    size_t line = start_of_line(text, span.start), first = line;
    const char *behind, *end;

    while (first > 0) {
        size_t before = start_of_line(text, first - 1);

        if (strncmp(text + before + strspn(text + before, " \t"), "--", 2) != 0)
            break;
        first = before;
    }
    for (; first < line; first += strcspn(text + first, "\n") + 1) {
        const char *from = text + first + strspn(text + first, " \t-");

        str_printf(out, "\n\n%.*s", (int)strcspn(from, "\n"), from);
    }
    end = strchr(text + line, '\n');
    behind = strstr(text + line, "--");
    if (behind && (!end || behind < end)) {
        behind += strspn(behind, "- ");
        str_printf(out, "\n\n%.*s", (int)strcspn(behind, "\n"), behind);
    }
}

/* ---- rights ---- */

static void
put_policy(struct str *out, const struct policy *policy)
{
    str_printf(out, "\n- %s%s to", policy->restrictive ? "restrictive " : "",
               command_name(policy->command));
    for (size_t i = 0; i < policy->roles.n; i++)
        str_printf(out, "%s **%s**", i ? "," : "", policy->roles.at[i]->name);
    if (policy->using_expr)
        str_printf(out, " using (`%s`)", words_of(policy->using_expr->span));
    if (policy->check_expr)
        str_printf(out, " with check (`%s`)", words_of(policy->check_expr->span));
    str_printf(out, " (%s)", policy->name);
}

static void
put_table(struct str *out, const struct table *table)
{
    size_t shown = 0;

    for (size_t i = 0; i < table->columns.n && i < 40; i++)
        str_printf(out, "%s%s %s", i ? ", " : "\n\n", table->columns.at[i]->name,
                   describe_type(table->columns.at[i]->type, table->columns.at[i]->not_null));
    for (size_t i = 0; i < table->policies.n; i++, shown++) {
        str_puts(out, shown ? "" : "\n");
        put_policy(out, table->policies.at[i]);
    }
    if (!table->is_view && !table->builtin && !table->derived && shown == 0)
        str_puts(out, "\n\nNo policy: no request sees a row.");
}

static void
put_column(struct str *out, const struct column *column)
{
    if (column->default_expr)
        str_printf(out, "\n\ndefault `%s`", words_of(column->default_expr->span));
    if (column->identity != IDENTITY_NONE)
        str_printf(out, "\n\ngenerated %s as identity",
                   column->identity == IDENTITY_ALWAYS ? "always" : "by default");
    if (column->is_private)
        str_puts(out, "\n\nprivate: no endpoint shows it");
    if (column->was)
        str_printf(out, "\n\nwas `%s`", column->was);
}

static void
put_function(struct str *out, const struct declared_function *function)
{
    if (function->roles.n == 0)
        str_puts(out, "\n\nNo role may execute it.");
    for (size_t i = 0; i < function->roles.n; i++)
        str_printf(out, "%s **%s**", i ? "," : "\n\nto", function->roles.at[i]->name);
}

static void
put_more(struct str *out, const struct use *use)
{
    const struct predicate *predicate = use->object;

    if (use->kind == USE_TABLE)
        put_table(out, use->object);
    else if (use->kind == USE_ALIAS && ((const struct range *)use->object)->table)
        put_table(out, ((const struct range *)use->object)->table);
    else if (use->kind == USE_COLUMN)
        put_column(out, use->object);
    else if (use->kind == USE_FUNCTION)
        put_function(out, use->object);
    else if (use->kind == USE_POLICY)
        put_policy(out, use->object);
    else if (use->kind == USE_PREDICATE && predicate->body)
        str_printf(out, "\n\n`%s`", words_of(predicate->body->span));
}

static void
put_comment_on(struct str *out, const struct model *model, const struct use *use)
{
    for (size_t i = 0; i < model->comments.n; i++) {
        const struct comment *comment = model->comments.at[i];
        bool on = use->kind == USE_COLUMN ? comment->column == use->object
                  : use->kind == USE_TABLE
                      ? !comment->column && comment->table == use->object
                      : comment->type == use->object || comment->function == use->object ||
                            comment->query == use->object;

        if (on && comment->text)
            str_printf(out, "\n\n%s", comment->text);
    }
}

void
answer_hover(struct str *out, yajl_val params)
{
    const struct project *project = project_get();
    struct target target = project_target(project, params);
    struct str text = {0};

    earlier_target(project, &target);
    if (!target.use)
        return;
    str_printf(&text, "```pgstack\n%s\n```", describe_use(target.use));
    put_more(&text, target.use);
    put_comment_on(&text, project->model, target.use);
    put_comments(&text, use_declaration(target.use));
    str_puts(out, "{\"contents\":{\"kind\":\"markdown\"");
    json_key_string(out, "value", text.at);
    str_putc(out, '}');
    client_put_range(out, "range", earlier_span(project, target.use->span));
    str_putc(out, '}');
}
