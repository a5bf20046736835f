/* SPDX-License-Identifier: MIT */
/*
 * Rows written where the writer has no business.  What a role may read of a table is tied to the
 * caller by some column, its tenant: a new row must be tied by it, too, or callers put rows into
 * other tenants, move theirs there, or write in the name of others.
 */
#include "rights/rights.h"

#include <string.h>

#include "rights/branch.h"

struct tenancy {
    struct checker *checker;
    const struct role *role;
    const struct table *table;
    struct branches seen;
};

/* ---- what the caller sees ---- */

/* Tied to more than the caller alone in each branch that is not for somebody in particular. */
bool
check_is_tenant(const struct branches *seen, const struct column *column, const struct role *role)
{
    enum tie weakest = TIE_SELF;
    bool has_claim = false;
    size_t n = 0;

    if (check_is_unique(column))
        return false;
    for (size_t i = 0; i < seen->n; i++) {
        enum tie tie = check_tie(&seen->at[i], NULL, column, role);

        if (check_is_public(&seen->at[i]))
            return false;
        has_claim |= tie == TIE_CLAIM;
        if (tie < TIE_LOOKUP && check_is_gated(&seen->at[i], role))
            continue;
        weakest = tie < weakest ? tie : weakest;
        n++;
    }
    return n > 0 && (has_claim || weakest == TIE_LOOKUP || weakest == TIE_CLAIM);
}

/* ---- new rows ---- */

static const struct grant *
grant_of(const struct column *column, const struct role *role, enum command command,
         struct span *span)
{
    for (size_t i = 0; i < column->table->grants.n; i++) {
        const struct grant *grant = column->table->grants.at[i];

        if (grant->command == command && role_is(role, grant->role) &&
            grant_holds_for(grant, column)) {
            *span = grant_place(grant, column);
            return grant;
        }
    }
    return NULL;
}

static const struct expr *
condition_of(const struct branch *branch)
{
    const struct policy *policy = branch->policy;

    return policy->check_expr ? policy->check_expr : policy->using_expr;
}

static bool
is_told(struct tenancy *tenancy, const struct column *column, struct span span)
{
    struct checker *checker = tenancy->checker;

    for (size_t i = 0; i < checker->decided.n; i++)
        if (check_same_place(checker->decided.at[i], span))
            return true;
    for (size_t i = 0; i < checker->strayed.n; i++)
        if (checker->strayed.at[i] == column)
            return true;
    vec_push(&checker->strayed, column);
    return false;
}

static void
report_stray(struct tenancy *tenancy, const struct column *column, enum command command,
             const struct branch *branch)
{
    const struct policy *policy = branch->policy;
    bool inserts = command == CMD_INSERT;
    struct span granted;
    struct diag *diag;

    grant_of(column, tenancy->role, command, &granted);
    if (is_told(tenancy, column, granted))
        return;
    diag = diag_at(condition_of(branch)->span,
                   inserts ? PGS3052_TENANT_UNCHECKED : PGS3053_TENANT_MOVES,
                   inserts ? "policy \"%s\" on \"%s\" lets a caller write rows for others: any "
                             "\"%s\" passes"
                           : "policy \"%s\" on \"%s\" lets a caller move rows to others: any new "
                             "\"%s\" passes",
                   policy->name, policy->table->name, column->name);
    diag_note(diag, granted, "\"%s\" may be written", column->name);
    if (tenancy->seen.n > 0 && tenancy->seen.at[0].policy)
        diag_note(diag, tenancy->seen.at[0].policy->span, "policy \"%s\" shows rows by \"%s\"",
                  tenancy->seen.at[0].policy->name, column->name);
    diag_hint(diag,
              "let `with check` compare \"%s\" as `using` of select does, or take it out of "
              "the %s grant",
              column->name, command_name(command));
}

/* What of the token is in an atom. */
struct naming {
    int persons; /* auth.uid(), the address */
    int others;  /* a tenant, a role */
    int tokens;  /* auth.jwt(), to be looked into */
};

static bool
is_person_path(const char *path)
{
    return path && (strcmp(path, "sub") == 0 || strcmp(path, "email") == 0);
}

static bool
is_whole_token(const struct expr *expr, const struct binding *binding)
{
    expr = check_stands_for(expr, &binding);
    return expr->kind == EXPR_CALL && expr->is_auth && strcmp(expr->name, "jwt") == 0;
}

static void
count_names(const struct expr *expr, const struct binding *binding, void *data)
{
    struct naming *naming = data;

    if (expr->kind == EXPR_CLAIM)
        ++*(is_person_path(expr->claim->path) ? &naming->persons : &naming->others);
    else if (is_whole_token(expr, binding) && expr->kind == EXPR_CALL)
        naming->tokens++;
    else if (expr->kind == EXPR_CALL && expr->is_auth)
        ++*(strcmp(expr->name, "role") == 0 ? &naming->others : &naming->persons);
    else if (expr->kind == EXPR_OP && strncmp(expr->name, "->", 2) == 0 &&
             is_whole_token(expr->args.at[0], binding) && is_person_path(expr->args.at[1]->value))
        naming->persons++, naming->tokens--;
}

/* It holds persons who may see the row: a recipient, a list of readers; no tenant of many. */
static bool
names_person(const struct branch *seen, const struct column *column, const struct role *role)
{
    enum tie tie = check_tie(seen, NULL, column, role);
    struct naming naming = {0};

    for (size_t i = 0; i < seen->atoms.n; i++)
        if (check_names_column(&seen->atoms.at[i], NULL, column))
            check_walk_bound(seen->atoms.at[i].expr, seen->atoms.at[i].binding, count_names,
                             &naming);
    return tie == TIE_SELF ||
           (tie == TIE_CLAIM && naming.persons > 0 && naming.others == 0 && naming.tokens == 0);
}

/*
 * Rows are seen in several ways, by the sender and by who is written to: it is enough that the new
 * row is the writer's in one of them.
 */
static bool
is_tied_otherwise(const struct tenancy *tenancy, const struct column *column,
                  const struct branch *written)
{
    const struct role *role = tenancy->role;

    for (size_t i = 0; i < tenancy->seen.n; i++)
        if (check_tie(&tenancy->seen.at[i], NULL, column, role) >= TIE_LOOKUP &&
            !names_person(&tenancy->seen.at[i], column, role))
            return false;
    for (size_t i = 0; i < tenancy->seen.n; i++) {
        const struct branch *seen = &tenancy->seen.at[i];

        if (check_tie(seen, NULL, column, role) >= TIE_LOOKUP || check_is_gated(seen, role))
            continue;
        for (size_t j = 0; j < tenancy->table->columns.n; j++) {
            const struct column *other = tenancy->table->columns.at[j];

            if (check_tie(seen, NULL, other, role) >= TIE_LOOKUP &&
                check_tie(written, NULL, other, role) >= TIE_LOOKUP)
                return true;
        }
    }
    return false;
}

/* A list of the admitted that those in it may change: `auth.uid() = any (shared_with)`. */
static bool
is_own_list(const struct branch *written, const struct column *column, const struct role *role)
{
    return (column->type.array || column->type.kind == TYPE_JSONB) &&
           check_tie(written, NULL, column, role) == TIE_CLAIM;
}

static bool
is_held(const struct tenancy *tenancy, const struct column *column, enum command command,
        const struct branch *written)
{
    const struct role *role = tenancy->role;

    if (command == CMD_UPDATE && is_own_list(written, column, role))
        return check_is_gated(written, role);
    return (command == CMD_INSERT && check_is_public(written)) ||
           check_tie(written, NULL, column, role) >= TIE_LOOKUP || check_is_gated(written, role) ||
           is_tied_otherwise(tenancy, column, written) || check_is_looked_up(written, column, role);
}

static void
check_column(struct tenancy *tenancy, const struct column *column, enum command command,
             const struct branches *written)
{
    struct span span;

    if (!grant_of(column, tenancy->role, command, &span))
        return;
    for (size_t i = 0; i < written->n; i++) {
        if (is_held(tenancy, column, command, &written->at[i]))
            continue;
        report_stray(tenancy, column, command, &written->at[i]);
        return;
    }
}

/* The owner may become anybody: a new row that no condition ties to the caller at all. */
static void
check_given_away(struct tenancy *tenancy, const struct column *column,
                 const struct branches *written)
{
    struct span span;

    if (!grant_of(column, tenancy->role, CMD_UPDATE, &span))
        return;
    for (size_t i = 0; i < written->n; i++)
        if (written->at[i].policy->check_expr &&
            !check_names_caller(&written->at[i], tenancy->role)) {
            report_stray(tenancy, column, CMD_UPDATE, &written->at[i]);
            return;
        }
}

/* ---- in whose name ---- */

static bool
is_signature(const struct column *column)
{
    static const char *const words[] = {
        "author",   "creat",   "owner", "sender",  "posted",     "submit",    "upload", "written",
        "report",   "request", "user",  "from",    "follower",   "voter",     "buyer",  "bidder",
        "reviewer", "actor",   "payer", "inviter", "invited_by", "commenter", "sent_by"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strncmp(column->name, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

/* By its default, or because the row is seen by whom it names. */
static bool
says_who(const struct tenancy *tenancy, const struct column *column)
{
    return (column->default_expr && check_is_identity(column->default_expr)) ||
           (!check_is_unique(column) &&
            check_weakest_tie(&tenancy->seen, column, tenancy->role) == TIE_SELF);
}

/* Another side of the policy compares the column: it says who acts. */
static bool
is_compared_elsewhere(const struct branches *written, const struct branch *branch,
                      const struct column *column, const struct role *role)
{
    for (size_t i = 0; i < written->n; i++)
        if (&written->at[i] != branch && written->at[i].policy == branch->policy &&
            check_tie(&written->at[i], NULL, column, role) == TIE_SELF)
            return true;
    return false;
}

/* By the column itself, or by another one. */
static bool
has_self(const struct branch *branch, const struct table *table, const struct role *role)
{
    for (size_t i = 0; i < table->columns.n; i++)
        if (check_tie(branch, NULL, table->columns.at[i], role) == TIE_SELF)
            return true;
    return false;
}

static void
check_signature(struct tenancy *tenancy, const struct column *column,
                const struct branches *written)
{
    struct span span;
    struct diag *diag;

    if (!is_signature(column) || !says_who(tenancy, column) ||
        !grant_of(column, tenancy->role, CMD_INSERT, &span))
        return;
    for (size_t i = 0; i < written->n; i++) {
        const struct branch *branch = &written->at[i];

        bool compared = is_compared_elsewhere(written, branch, column, tenancy->role);

        if (check_tie(branch, NULL, column, tenancy->role) == TIE_SELF ||
            (has_self(branch, tenancy->table, tenancy->role) && !compared) ||
            check_is_gated(branch, tenancy->role) ||
            (strncmp(column->name, "user", 4) == 0 && check_names_caller(branch, tenancy->role)))
            continue;
        if (is_told(tenancy, column, span))
            return;
        diag =
            diag_at(span, PGS3054_WRITES_AS_OTHERS,
                    "\"%s\" may insert rows of \"%s\" in the name of others: policy \"%s\" does "
                    "not compare \"%s\"",
                    tenancy->role->name, tenancy->table->name, branch->policy->name, column->name);
        diag_note(diag, branch->policy->span, "the policy is here");
        diag_hint(diag,
                  "take \"%s\" out of the grant, with `default auth.uid()`; or add `%s = "
                  "auth.uid()` to `with check`",
                  column->name, column->name);
        return;
    }
}

/* ---- all ---- */

static void
check_tenancy(struct tenancy *tenancy)
{
    const struct table *table = tenancy->table;
    const struct role *role = tenancy->role;
    struct branches inserted = {0}, updated = {0};
    bool inserts = check_role_branches(role, table, CMD_INSERT, true, &inserted);
    bool updates = check_role_branches(role, table, CMD_UPDATE, true, &updated);

    if (!check_role_branches(role, table, CMD_SELECT, false, &tenancy->seen))
        return;
    for (size_t i = 0; i < table->columns.n; i++) {
        const struct column *column = table->columns.at[i];

        if (inserts)
            check_signature(tenancy, column, &inserted);
        if (updates && check_weakest_tie(&tenancy->seen, column, role) == TIE_SELF)
            check_given_away(tenancy, column, &updated);
        if (!check_is_tenant(&tenancy->seen, column, role))
            continue;
        if (inserts)
            check_column(tenancy, column, CMD_INSERT, &inserted);
        if (updates)
            check_column(tenancy, column, CMD_UPDATE, &updated);
    }
}

void
check_tenants(struct checker *checker)
{
    const struct model *model = checker->model;

    if (checker->guessing)
        return;
    for (size_t i = 0; i < model->tables.n; i++)
        for (size_t j = 0; j < model->roles.n; j++) {
            struct tenancy tenancy = {checker, model->roles.at[j], model->tables.at[i], {0}};

            if (!tenancy.table->is_view && tenancy.table->policies.n > 0 &&
                check_is_anybody(tenancy.role))
                check_tenancy(&tenancy);
        }
}
