/* SPDX-License-Identifier: MIT */
/*
 * The passes, in order.  Each goes over the whole project whatever the ones before it found, so
 * that a run shows all mistakes; rules about the whole keep silent where a part of it is unknown.
 */
#include "passes/check.h"

#include <string.h>

#include "change/change.h"
#include "check/checker.h"
#include "rights/rights.h"
#include "served/inline.h"
#include "served/served.h"

/* ---- the heading ---- */

static struct span
first_place(const struct ast *ast)
{
    return (struct span){.file = ast->files.n > 0 ? ast->files.at[0] : NULL};
}

static void
check_version(const struct ast *ast)
{
    struct diag *diag;

    if (ast->versions.n == 0) {
        diag = diag_at(first_place(ast), PGS1100_VERSION_MISSING,
                       "no file says which version of the language it is in");
        diag_hint(diag, "start with `pgstack 1;`");
        diag_fix(diag, first_place(ast), "pgstack 1;\n");
    }
    for (size_t i = 0; i < ast->versions.n; i++) {
        if (ast->versions.at[i].number == 1)
            continue;
        diag = diag_at(ast->versions.at[i].span, PGS1101_VERSION_UNKNOWN,
                       "version %ld of the language is not known to this compiler",
                       ast->versions.at[i].number);
        diag_hint(diag, "write `pgstack 1;`");
    }
}

static bool
is_app_name(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static void
check_app(const struct ast *ast, struct model *model)
{
    struct diag *diag;

    if (ast->apps.n == 0) {
        diag = diag_at(first_place(ast), PGS1103_APP_MISSING, "the application has no name");
        diag_hint(diag, "write `app helpdesk;`");
        return;
    }
    model->app = ast->apps.at[0].text;
    if (!is_app_name(model->app)) {
        diag = diag_at(ast->apps.at[0].span, PGS1105_APP_NAME,
                       "\"%s\" cannot name an application: it becomes the name of a program",
                       model->app);
        diag_hint(diag, "use a-z, 0-9 and _");
    }
    for (size_t i = 1; i < ast->apps.n; i++) {
        diag = diag_at(ast->apps.at[i].span, PGS1104_APP_TWICE, "the application has two names");
        diag_note(diag, ast->apps.at[0].span, "the first one is here");
        diag_hint(diag, "drop one of the two");
    }
}

static void
collect_raw_sql(const struct ast *ast, struct model *model)
{
    for (size_t i = 0; i < ast->sqls.n; i++) {
        struct raw_sql *raw = arena_alloc(sizeof(*raw));

        raw->span = ast->sqls.at[i]->span;
        raw->up = ast->sqls.at[i]->up.text;
        raw->down = ast->sqls.at[i]->down.text;
        vec_push(&model->raw_sqls, raw);
        model->reads_jwt = true;
    }
}

/* What grants and policies come to, in the order in which one report silences the next. */
static void
check_who_writes(struct checker *checker)
{
    check_raw(checker);
    check_captures(checker);
    check_callers(checker);
    check_deciding(checker);
    check_decided_writes(checker);
    check_tenants(checker);
    check_across(checker);
    check_wide_writes(checker);
    check_exposure(checker);
    check_privileges(checker);
    check_records(checker);
    check_codes(checker);
    check_guesses(checker);
    check_races(checker);
    check_restrictions(checker);
    check_deleted(checker);
    check_standing(checker);
    check_fallbacks(checker);
    check_private_told(checker);
    check_searches(checker);
    check_negative_sides(checker);
    check_cascades(checker);
}

static struct checker *
new_checker(const struct ast *ast)
{
    struct checker *checker = arena_alloc(sizeof(*checker));

    checker->ast = ast;
    checker->model = arena_alloc(sizeof(*checker->model));
    checker->guessing = ast->lost_rights;
    return checker;
}

/* All that is declared, each part by itself. */
static void
check_parts(struct checker *checker)
{
    const struct ast *ast = checker->ast;

    collect_raw_sql(ast, checker->model);
    check_common_rates(checker);
    check_declare(checker);
    check_types(checker);
    check_claims(checker);
    check_roles(checker);
    check_signatures(checker);
    check_tables(checker);
    check_complete_rows(checker);
    check_predicates(checker);
    check_views(checker);
    check_functions(checker);
    check_triggers(checker);
    check_order(checker);
    check_queries(checker);
    check_comments(checker);
    check_grants(checker);
    check_policies(checker);
    check_former_names(checker);
}

/* The whole: what the parts mean together. */
static void
check_whole(struct checker *checker)
{
    check_cors(checker);
    check_auth(checker);
    if (!check_sizes(checker))
        return;
    check_endpoints(checker);
    check_lives(checker);
    check_webhooks(checker);
    check_rights(checker);
    check_function_rights(checker);
    check_raw_texts(checker);
    check_sessions(checker);
    check_truth(checker);
    check_guests(checker);
    check_recursion(checker);
    check_overlap(checker);
    check_inline(checker);
    check_who_writes(checker);
    check_listed_arguments(checker);
    check_speed(checker);
    check_secrets(checker);
}

/* What was released may have findings that are new to it: they are not asked for. */
static void
check_since(const struct checker *checker, const struct ast *ast)
{
    struct checker *last = new_checker(ast);
    size_t errors = diag_errors(), known;

    if (ast->lost.n > 0)
        return;
    diag_mute_warnings(true);
    check_parts(last);
    diag_mute_warnings(false);
    if (diag_errors() > errors)
        return;
    known = diag_count();
    check_endpoints(last);
    check_lives(last);
    check_webhooks(last);
    diag_forget(known); /* what is wrong with them was for the last release to hear */
    check_changes(checker, last->model);
}

static struct checker *
check_all(const struct ast *ast, const struct ast *last)
{
    struct checker *checker = new_checker(ast);

    check_version(ast);
    check_app(ast, checker->model);
    check_parts(checker);
    check_whole(checker);
    if (last)
        check_since(checker, last);
    return checker;
}

const struct model *
check_project_since(const struct ast *ast, const struct ast *last)
{
    const struct checker *checker;

    if (ast->lost.n > 0)
        return NULL; /* every use of these names would be an error that only follows */
    checker = check_all(ast, last);
    if (diag_errors() > 0)
        return NULL;
    check_sort_tables(checker->model);
    return checker->model;
}

const struct model *
check_project(const struct ast *ast)
{
    return check_project_since(ast, NULL);
}

const struct model *
check_what_there_is(const struct ast *ast, const struct ast *last)
{
    size_t known = diag_count();
    const struct model *model = check_all(ast, last)->model;

    if (ast->lost.n > 0)
        diag_forget(known);
    return model;
}
