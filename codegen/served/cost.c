/* SPDX-License-Identifier: MIT */
/* What is more than the server's settings can ever allow is refused: it would bound nothing. */
#include "served/cost.h"

#include <string.h>

#include "text/diag.h"

#define MAX_BODY_BYTES 1073741824L /* the highest MAX_BODY_BYTES */
#define MAX_WITHIN_MS 3600000L     /* the highest STATEMENT_TIMEOUT */

struct unit {
    const char *name, *written;
    long factor;
};

/* PostgreSQL's: a kB is 1024 bytes. */
static const struct unit sizes[] = {
    {"b", "B", 1}, {"kb", "kB", 1024}, {"mb", "MB", 1048576}, {"gb", "GB", 1073741824}};
static const struct unit times[] = {{"ms", "ms", 1},
                                    {"s", "s", 1000},
                                    {"sec", "sec", 1000},
                                    {"second", "second", 1000},
                                    {"seconds", "seconds", 1000},
                                    {"min", "min", 60000},
                                    {"minute", "minute", 60000},
                                    {"minutes", "minutes", 60000},
                                    {"h", "h", 3600000},
                                    {"hour", "hour", 3600000}};

#define MAX_UNITS 10
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
is_said(const struct ast_costs *ast, enum ast_cost_kind kind)
{
    return ast->at[kind].span.file != NULL;
}

static void
report_unit(const struct ast_cost *ast, const struct unit *units, size_t n)
{
    const char *names[MAX_UNITS], *near;
    bool is_body = ast->kind == AST_BODY;
    struct diag *diag = diag_at(ast->unit.span, PGS4240_COST_UNIT, "\"%s\" is no unit of %s",
                                ast->unit.text, is_body ? "size" : "time");

    for (size_t i = 0; i < n; i++)
        names[i] = units[i].written;
    near = diag_nearest(ast->unit.text, names, n);
    if (near)
        diag_fix(diag, ast->unit.span, "%s", near);
    diag_hint(diag, is_body ? "sizes are in B, kB, MB or GB: `body 64 kB`"
                            : "times are in ms, s, min or h: `within 2 s`");
}

static const struct unit *
find_unit(const struct ast_cost *ast, const struct unit *units, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(ast->unit.text, units[i].name) == 0)
            return &units[i];
    report_unit(ast, units, n);
    return NULL;
}

/* In bytes or milliseconds; 0 after an error. */
static long
read_amount(const struct ast_cost *ast, const struct unit *units, size_t n, long max)
{
    const struct unit *unit = find_unit(ast, units, n);
    bool is_body = ast->kind == AST_BODY;
    struct diag *diag;

    if (!unit)
        return 0;
    if (ast->number == 0) {
        diag = diag_at(ast->span, PGS4241_COST_OF_NOTHING,
                       is_body ? "a body of at most nothing: no request could be made"
                               : "within no time nothing is answered");
        diag_hint(diag, "drop the verb, or take the grant away, where nobody is to ask");
        return 0;
    }
    if (ast->number <= max / unit->factor)
        return ast->number * unit->factor;
    diag = diag_at(ast->span, PGS4242_COST_TOO_HIGH,
                   is_body ? "no server takes a body of more than 1 GB"
                           : "no server waits for more than 60 min");
    diag_hint(diag, is_body ? "MAX_BODY_BYTES holds for all routes: drop this one, or lower it"
                            : "STATEMENT_TIMEOUT holds for all routes: drop this one, or lower it");
    return 0;
}

static void
report_bodiless(const struct ast_cost *ast)
{
    struct diag *diag = diag_at(ast->span, PGS4243_COST_WITHOUT_BODY,
                                "these requests bring no body that could be too large");

    diag_hint(diag, "`body` is for create, update and functions");
}

struct cost
check_cost(const struct ast_costs *ast, bool has_body)
{
    struct cost cost = {.slow = is_said(ast, AST_SLOW)};

    if (is_said(ast, AST_BODY) && !has_body)
        report_bodiless(&ast->at[AST_BODY]);
    else if (is_said(ast, AST_BODY))
        cost.body_bytes = read_amount(&ast->at[AST_BODY], sizes, COUNT(sizes), MAX_BODY_BYTES);
    if (is_said(ast, AST_WITHIN))
        cost.within_ms = read_amount(&ast->at[AST_WITHIN], times, COUNT(times), MAX_WITHIN_MS);
    return cost;
}

struct cost
check_query_cost(const struct ast_costs *ast)
{
    struct cost cost = check_cost(ast, true);
    struct diag *diag;

    if (cost.slow) {
        diag = diag_at(ast->at[AST_SLOW].span, PGS4244_SLOW_BY_ITSELF,
                       "queries and functions are kept apart from what is quick by themselves");
        diag_hint(diag, "drop `slow`");
    }
    return cost;
}

/* Both are GET: what is asked for by its key is a list of one. */
static void
check_get(const struct ast_endpoint *endpoint, const struct ast_verb *get)
{
    for (size_t i = 0; i < endpoint->verbs.n; i++)
        for (int kind = 0; kind < AST_COSTS; kind++) {
            struct diag *diag;

            if (endpoint->verbs.at[i]->kind != AST_LIST || get->costs.at[kind].span.file == NULL)
                continue;
            diag = diag_at(get->costs.at[kind].span, PGS4245_COST_OF_GET,
                           "`get` and `list` are one request, GET, of one cost");
            diag_note(diag, endpoint->verbs.at[i]->span, "`list` is here");
            diag_hint(diag, "say it of `list`");
        }
}

void
check_verb_cost(const struct ast_endpoint *endpoint, const struct ast_verb *verb)
{
    struct diag *diag;

    if (verb->kind == AST_GET)
        check_get(endpoint, verb);
    if (!is_said(&verb->costs, AST_SLOW) || !is_said(&endpoint->costs, AST_SLOW))
        return;
    diag = diag_at(verb->costs.at[AST_SLOW].span, PGS4246_SLOW_TWICE, "all verbs are slow already");
    diag_note(diag, endpoint->costs.at[AST_SLOW].span, "by this");
    diag_hint(diag, "drop one of the two");
}
