/* SPDX-License-Identifier: MIT */
/* Writes that reach further than reads: for callers that no condition names, or to rows unseen. */
#include "rights/rights.h"

#include <string.h>

#include "rights/branch.h"

struct width {
    struct checker *checker;
    const struct role *role;
    const struct table *table;
};

/* Some row is seen by whoever asks. */
static bool
is_open(const struct width *width)
{
    struct branches seen = {0};

    if (!check_role_branches(width->role, width->table, CMD_SELECT, false, &seen))
        return true;
    for (size_t i = 0; i < seen.n; i++)
        if (!check_names_caller(&seen.at[i], width->role))
            return true;
    return false;
}

static bool
is_told(const struct width *width, struct span span)
{
    struct checker *checker = width->checker;

    for (size_t i = 0; i < checker->overlapping.n; i++)
        if (checker->overlapping.at[i] == width->table)
            return true;
    return check_is_told(checker, span);
}

static void
check_write(const struct width *width, enum command command)
{
    struct branches branches = {0};
    bool open = is_open(width), is_visitor = strcmp(width->role->name, "anon") == 0;

    if (!access_table(width->role, width->table, command) ||
        !check_role_branches(width->role, width->table, command, false, &branches))
        return;
    for (size_t i = 0; i < branches.n; i++) {
        const struct policy *policy = branches.at[i].policy;
        struct diag *diag;

        if (check_names_caller(&branches.at[i], width->role) ||
            (open && !is_visitor && check_is_public(&branches.at[i])) ||
            is_told(width, policy->span))
            continue;
        diag = diag_at(branches.at[i].part->span, PGS3048_WRITE_WIDER_THAN_READ,
                       "policy \"%s\" on \"%s\" lets every \"%s\" %s %s", policy->name,
                       width->table->name, width->role->name, command_name(command),
                       open ? "rows of others: nothing here names the caller"
                            : "rows that it cannot even see");
        diag_hint(diag, "name the caller, as in `owner_id = auth.uid()`%s",
                  open ? "" : "; a write without a filter reaches rows that select hides");
    }
}

/* ---- deletes ---- */

/* Some side of `branches` asks for no more than the branch does. */
static bool
is_within(const struct branch *branch, const struct branches *branches)
{
    for (size_t i = 0; i < branches->n; i++)
        if (check_asks_all(branch, &branches->at[i]))
            return true;
    return false;
}

/* All that is seen, but by somebody in particular. */
static bool
covers(const struct branches *deleted, const struct branches *seen, const struct role *role)
{
    for (size_t i = 0; i < seen->n; i++)
        if (!check_is_gated(&seen->at[i], role) && !is_within(&seen->at[i], deleted))
            return false;
    return seen->n > 0;
}

/* Whoever sees a row deletes it, and only some may change it. */
static void
check_delete(const struct width *width)
{
    struct branches seen = {0}, changed = {0}, deleted = {0};

    if (!access_table(width->role, width->table, CMD_DELETE) ||
        !access_table(width->role, width->table, CMD_UPDATE) ||
        !check_role_branches(width->role, width->table, CMD_SELECT, false, &seen) ||
        !check_role_branches(width->role, width->table, CMD_UPDATE, false, &changed) ||
        !check_role_branches(width->role, width->table, CMD_DELETE, false, &deleted) ||
        !covers(&deleted, &seen, width->role))
        return;
    for (size_t i = 0; i < deleted.n; i++) {
        const struct branch *branch = &deleted.at[i];
        struct diag *diag;

        if (is_within(branch, &changed) || check_is_gated(branch, width->role) ||
            is_told(width, branch->policy->span))
            continue;
        diag = diag_at(branch->part->span, PGS3332_DELETE_WIDER,
                       "policy \"%s\" on \"%s\" lets whoever sees a row delete it: to change it "
                       "takes more",
                       branch->policy->name, width->table->name);
        diag_note(diag, changed.at[0].policy->span, "who may change it is said here");
        diag_hint(diag, "ask for as much to delete as to update");
        return;
    }
}

/* ---- rows that cannot be found ---- */

static bool
reads_nothing(const struct width *width)
{
    return !access_table(width->role, width->table, CMD_SELECT) ||
           !access_policed(width->role, width->table, CMD_SELECT);
}

static bool
is_inherited(const struct width *width, const struct grant *grant)
{
    for (size_t i = 0; i < width->checker->model->roles.n; i++) {
        const struct role *role = width->checker->model->roles.at[i];

        if (role != grant->role && role_is(role, grant->role))
            return true;
    }
    return false;
}

static void
check_unfound(const struct width *width)
{
    for (size_t i = 0; i < width->table->grants.n; i++) {
        const struct grant *grant = width->table->grants.at[i];
        struct diag *diag;

        if (grant->role != width->role || is_inherited(width, grant) ||
            (grant->command != CMD_UPDATE && grant->command != CMD_DELETE) ||
            !access_policed(grant->role, grant->table, grant->command) || !reads_nothing(width))
            continue;
        diag = diag_at(grant->span, PGS3047_WRITE_WITHOUT_READ,
                       "\"%s\" may %s rows of \"%s\", but may select none: no request can say "
                       "which",
                       grant->role->name, command_name(grant->command), grant->table->name);
        diag_hint(diag, "a filter reads its columns: grant select on the key, with a policy for "
                        "select");
        return;
    }
}

void
check_wide_writes(struct checker *checker)
{
    const struct model *model = checker->model;

    if (checker->guessing)
        return;
    for (size_t i = 0; i < model->tables.n; i++)
        for (size_t j = 0; j < model->roles.n; j++) {
            struct width width = {checker, model->roles.at[j], model->tables.at[i]};

            if (width.table->is_view || width.table->policies.n == 0)
                continue;
            if (check_is_anybody(width.role)) {
                check_write(&width, CMD_UPDATE);
                check_write(&width, CMD_DELETE);
                check_delete(&width);
            }
            check_unfound(&width);
        }
}
