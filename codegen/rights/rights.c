/* SPDX-License-Identifier: MIT */
/*
 * The whole of grants, policies and reads, once all of them are known: what is granted must be
 * policed, what is policed must be reachable, and whatever a role's policies, views and queries
 * read it must be allowed to read.
 */
#include "check/checker.h"

#include <string.h>

#include "rights/branch.h"

/* ---- grants against policies ---- */

static bool
is_first_grant(const struct grant *grant)
{
    for (size_t i = 0; grant->table->grants.at[i] != grant; i++) {
        const struct grant *other = grant->table->grants.at[i];

        if (other->command == grant->command && other->role == grant->role)
            return false;
    }
    return true;
}

static bool
is_only_narrowed(const struct grant *grant)
{
    for (size_t i = 0; i < grant->table->policies.n; i++)
        if (policy_applies(grant->table->policies.at[i], grant->role, grant->table, grant->command))
            return true;
    return false;
}

/* I01: without a policy, row security refuses everything; with it switched off, nothing. */
static void
check_grant_is_policed(const struct grant *grant)
{
    const char *command = command_name(grant->command);
    struct diag *diag;

    if (grant->table->is_view || !is_first_grant(grant) ||
        access_policed(grant->role, grant->table, grant->command))
        return;
    diag =
        diag_at(grant->span, PGS3001_GRANT_WITHOUT_POLICY,
                "role \"%s\" may %s %s \"%s\", but no policy covers %s", grant->role->name, command,
                grant->command == CMD_INSERT   ? "into"
                : grant->command == CMD_UPDATE ? "rows of"
                                               : "from",
                grant->table->name, command);
    if (is_only_narrowed(grant))
        diag_hint(diag, "the restrictive policies only narrow what others admit, and there are no "
                        "others");
    diag_hint(diag, "add `policy ... on %s for %s to %s %s (...)`, or take the grant back",
              grant->table->name, command, grant->role->name,
              grant->command == CMD_INSERT ? "with check" : "using");
}

/* Some role that the policy holds for may do it. */
static bool
is_reachable(const struct model *model, const struct policy *policy, const struct role *role)
{
    for (size_t i = 0; i < model->roles.n; i++)
        if (role_is(model->roles.at[i], role) &&
            access_table(model->roles.at[i], policy->table, policy->command))
            return true;
    return false;
}

static void
check_policy_is_reachable(const struct model *model, const struct policy *policy)
{
    for (size_t i = 0; i < policy->roles.n; i++) {
        const struct role *role = policy->roles.at[i];
        const char *command = command_name(policy->command);
        struct diag *diag;

        if (is_reachable(model, policy, role))
            continue;
        diag = diag_at(policy->span, PGS3002_POLICY_WITHOUT_GRANT,
                       "policy \"%s\" on \"%s\" is for %s to \"%s\", but no grant lets it %s",
                       policy->name, policy->table->name, command, role->name, command);
        diag_hint(diag, "add `grant %s on %s to %s`, or drop it from the policy", command,
                  policy->table->name, role->name);
    }
}

/* ---- what is read must be granted ---- */

static void
note_read(struct diag *diag, const struct read *read)
{
    if (!check_same_place(read->span, read->from))
        diag_note(diag, read->span, "it is read here");
}

static void
hint_grant(struct diag *diag, const struct read *read, const struct role *role, const char *other)
{
    if (read->table->builtin)
        diag_hint(diag, "%s.%s is for service_role alone%s", read->table->schema, read->table->name,
                  other);
    else if (read->table->partition_of)
        diag_hint(diag, "read \"%s\": its policies do not hold where a partition is named",
                  read->table->partition_of->name);
    else if (read->column)
        diag_hint(diag, "add `grant select (%s) on %s to %s`%s", read->column->name,
                  read->table->name, role->name, other);
    else
        diag_hint(diag, "add `grant select on %s to %s`%s", read->table->name, role->name, other);
}

static bool
check_policy_reads_as(const struct policy *policy, const struct expr *expr, const struct role *role)
{
    struct reads reads = {0};
    const struct read *read;
    struct diag *diag;

    if (!expr)
        return true;
    check_reads(expr, &reads);
    read = check_first_forbidden(&reads, role);
    if (!read)
        return true;
    diag = diag_at(read->from, PGS3011_POLICY_READS_UNGRANTED,
                   "policy \"%s\" on \"%s\" reads %s, which role \"%s\" may not select",
                   policy->name, policy->table->name, check_read_name(read), role->name);
    note_read(diag, read);
    hint_grant(diag, read, role, ", or make the predicate `security definer`");
    return false;
}

static bool
is_same_declaration(const struct policy *a, const struct policy *b)
{
    return a->table == b->table && strcmp(a->name, b->name) == 0;
}

/* Only the first policy of a declaration: the others have the same conditions. */
static void
check_policy_reads(const struct policy *policy)
{
    const struct policy *const *others = policy->table->policies.at;

    for (size_t i = 0; others[i] != policy; i++)
        if (is_same_declaration(others[i], policy) &&
            (others[i]->using_expr == policy->using_expr || !policy->using_expr) &&
            (others[i]->check_expr == policy->check_expr || !policy->check_expr))
            return;
    for (size_t i = 0; i < policy->roles.n; i++)
        if (!check_policy_reads_as(policy, policy->using_expr, policy->roles.at[i]) ||
            !check_policy_reads_as(policy, policy->check_expr, policy->roles.at[i]))
            return;
}

/* security_invoker: the one who asks needs the rights on the tables, too. */
static void
check_view_reads(const struct grant *grant)
{
    struct reads reads = {0};
    const struct read *read;
    struct diag *diag;

    if (!grant->table->query || grant->table->materialized || !is_first_grant(grant))
        return;
    check_reads_select(grant->table->query, &reads);
    read = check_first_forbidden(&reads, grant->role);
    if (!read)
        return;
    diag = diag_at(read->from, PGS3012_VIEW_READS_UNGRANTED,
                   "view \"%s\" reads %s, which role \"%s\" may not select", grant->table->name,
                   check_read_name(read), grant->role->name);
    diag_note(diag, grant->span, "the view is granted here");
    note_read(diag, read);
    hint_grant(diag, read, grant->role, "");
}

static void
check_query_reads(const struct query *query)
{
    struct reads reads = {0};

    if (!query->body)
        return;
    check_reads_select(query->body, &reads);
    for (size_t i = 0; i < query->roles.n; i++) {
        const struct role *role = query->roles.at[i];
        const struct read *read = check_first_forbidden(&reads, role);
        struct diag *diag;

        if (!read)
            continue;
        diag = diag_at(read->from, PGS3013_QUERY_READS_UNGRANTED,
                       "query \"%s\" reads %s, which role \"%s\" may not select", query->name,
                       check_read_name(read), role->name);
        note_read(diag, read);
        hint_grant(diag, read, role, ", or drop the role from the query");
        return;
    }
}

/* ---- I13: an owner column that may be set to oneself ---- */

struct pinned {
    const struct column *column;
    bool found;
};

static bool
is_pin(const struct expr *column, const struct expr *identity)
{
    return column->kind == EXPR_COLUMN && column->range->implicit && check_is_identity(identity);
}

static void
visit_pin(const struct expr *expr, void *data)
{
    struct pinned *pinned = data;

    if (expr->kind != EXPR_OP || strcmp(expr->name, "=") != 0)
        return;
    for (size_t i = 0; i < 2; i++)
        if (is_pin(expr->args.at[i], expr->args.at[1 - i]) &&
            expr->args.at[i]->column == pinned->column)
            pinned->found = true;
}

/* `column = auth.uid()` is one of the conditions that all must hold. */
static bool
is_pinned(const struct expr *expr, const struct column *column)
{
    struct pinned pinned = {.column = column};

    walk_conjuncts(expr, visit_pin, &pinned);
    return pinned.found;
}

/* Some policy of the table compares it with the caller. */
static bool
decides_as_owner(const struct column *column)
{
    struct pinned pinned = {.column = column};

    for (size_t i = 0; i < column->table->policies.n; i++) {
        const struct policy *policy = column->table->policies.at[i];

        if (policy->using_expr)
            walk_expr(policy->using_expr, visit_pin, &pinned);
        if (policy->check_expr)
            walk_expr(policy->check_expr, visit_pin, &pinned);
    }
    return pinned.found;
}

/* Who did something last: updated_by, approved_by.  It says nothing of whose the row is. */
static bool
is_stamp(const struct column *column)
{
    static const char *const verbs[] = {
        "updated",  "changed", "modified", "edited",    "approved",  "reviewed",    "closed",
        "resolved", "deleted", "archived", "verified",  "confirmed", "handled",     "signed",
        "checked",  "locked",  "touched",  "completed", "rejected",  "last_edited", "finished"};
    struct pinned pinned = {.column = column};

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        size_t len = strlen(verbs[i]);

        if (strncmp(column->name, verbs[i], len) != 0 || strncmp(column->name + len, "_by", 3) != 0)
            continue;
        for (size_t j = 0; j < column->table->policies.n; j++)
            if (column->table->policies.at[j]->using_expr)
                walk_expr(column->table->policies.at[j]->using_expr, visit_pin, &pinned);
        return !pinned.found;
    }
    return false;
}

static bool
is_owner(const struct policy *policy, const struct column *column)
{
    const struct expr *by_default = column->default_expr;

    if (is_stamp(column))
        return false;
    if (!policy->check_expr && !decides_as_owner(column))
        return false;
    return (policy->check_expr && is_pinned(policy->check_expr, column)) ||
           (by_default && check_is_identity(by_default));
}

/* Each row that may be updated is the caller's by this column, or the caller is somebody special.
 */
static bool
is_own_already(const struct policy *policy, const struct column *column)
{
    const struct role *role = policy->roles.n > 0 ? policy->roles.at[0] : NULL;
    struct branches branches = {0};

    if (is_pinned(policy->using_expr, column) || !check_branches(policy->using_expr, &branches))
        return true;
    for (size_t i = 0; i < branches.n; i++)
        if (check_tie(&branches.at[i], NULL, column, role) != TIE_SELF &&
            !check_is_gated(&branches.at[i], role))
            return false;
    return true;
}

static void
check_theft_of(struct checker *checker, const struct policy *policy, const struct column *column,
               struct span granted)
{
    struct diag *diag;

    if (!is_owner(policy, column) || is_own_already(policy, column))
        return;
    vec_push(&checker->decided, policy->span);
    vec_push(&checker->strayed, column);
    diag = diag_at(granted, PGS3014_ROW_THEFT,
                   "policy \"%s\" lets a caller take other people's rows: \"%s\" may be "
                   "updated, and %s",
                   policy->name, column->name,
                   policy->check_expr ? "only the new row is compared with the caller"
                                      : "`using` does not compare it with the caller");
    diag_note(diag, policy->span, "the policy is here");
    diag_hint(diag, "take %s out of the update grant, or add `%s = auth.uid()` to using",
              column->name, column->name);
}

static void
check_theft_by(struct checker *checker, const struct policy *policy, const struct grant *grant)
{
    for (size_t i = 0; i < grant->columns.n; i++)
        check_theft_of(checker, policy, grant->columns.at[i], grant->column_spans.at[i]);
    if (grant->columns.n > 0 || !check_is_anybody(grant->role))
        return;
    for (size_t i = 0; i < grant->table->columns.n; i++)
        check_theft_of(checker, policy, grant->table->columns.at[i], grant->span);
}

static bool
shares_role(const struct policy *policy, const struct grant *grant)
{
    for (size_t i = 0; i < policy->roles.n; i++)
        if (role_is(policy->roles.at[i], grant->role) || role_is(grant->role, policy->roles.at[i]))
            return true;
    return false;
}

static void
check_row_theft(struct checker *checker, const struct policy *policy)
{
    if (policy->command != CMD_UPDATE || policy->restrictive || !policy->using_expr ||
        policy->using_expr->kind == EXPR_PUBLIC)
        return;
    for (size_t i = 0; i < policy->table->grants.n; i++) {
        const struct grant *grant = policy->table->grants.at[i];

        if (grant->command == CMD_UPDATE && shares_role(policy, grant))
            check_theft_by(checker, policy, grant);
    }
}

/* ---- I27: a key that clients may choose ---- */

static void
check_chosen_key(const struct column *column)
{
    for (size_t i = 0; i < column->table->grants.n; i++) {
        const struct grant *grant = column->table->grants.at[i];
        struct diag *diag;

        if (grant->command != CMD_INSERT || !access_column(grant->role, column, CMD_INSERT))
            continue;
        diag = diag_at(column->identity_span, PGS3017_CLIENT_PICKS_KEY,
                       "clients may choose %s.%s: it is `generated by default` and in the insert "
                       "grant",
                       column->table->name, column->name);
        diag_note(diag, grant->span, "the grant is here");
        diag_hint(diag, "write `generated always`, or keep %s out of the insert grant",
                  column->name);
        return;
    }
}

static void
check_chosen_keys(const struct table *table)
{
    for (size_t i = 0; i < table->columns.n; i++)
        if (table->columns.at[i]->identity == IDENTITY_BY_DEFAULT)
            check_chosen_key(table->columns.at[i]);
}

/* ---- private columns ---- */

static void
check_private(const struct table *table, const struct query *query)
{
    for (size_t i = 0; query->body && i < query->body->outputs.n; i++) {
        const struct output *output = &query->body->outputs.at[i];
        struct diag *diag;

        if (output->expr->kind != EXPR_COLUMN || !output->expr->column->is_private)
            continue;
        diag = diag_at(output->span, PGS4006_PRIVATE_SERVED,
                       "\"%s\" is private: no query may return it", output->expr->column->name);
        diag_note(diag, output->expr->column->span, "it is marked here");
        diag_hint(diag, table ? "return a list of columns: `returns table (...)`"
                              : "drop it here, or drop `private` there");
    }
}

/* ---- all ---- */

static void
check_policies_as_a_whole(struct checker *checker)
{
    const struct model *model = checker->model;

    for (size_t i = 0; i < model->policies.n; i++) {
        const struct policy *policy = model->policies.at[i];

        check_policy_is_reachable(model, policy);
        check_policy_reads(policy);
        check_row_theft(checker, policy);
    }
}

void
check_rights(struct checker *checker)
{
    const struct model *model = checker->model;

    if (checker->guessing)
        return;
    for (size_t i = 0; i < model->grants.n; i++) {
        check_grant_is_policed(model->grants.at[i]);
        check_view_reads(model->grants.at[i]);
    }
    check_policies_as_a_whole(checker);
    check_user_metadata(model);
    check_stored_rights(checker);
    check_useless_grants(checker);
    for (size_t i = 0; i < model->tables.n; i++)
        check_chosen_keys(model->tables.at[i]);
    for (size_t i = 0; i < model->queries.n; i++) {
        check_query_reads(model->queries.at[i]);
        check_private(model->queries.at[i]->returns_table, model->queries.at[i]);
    }
}
