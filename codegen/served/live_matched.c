/* SPDX-License-Identifier: MIT */
/* Live queries whose changes make the server ask again, and why. */
#include "model/access.h"
#include "plan/match.h"
#include "served/live.h"

struct roles
live_subscribers(const struct model *model, const struct live *live)
{
    struct roles roles = {0};

    for (size_t i = 0; i < model->roles.n; i++) {
        const struct role *role = model->roles.at[i];
        bool may = false;

        for (size_t j = 0; j < live->roles.n; j++)
            may |= role_is(role, live->roles.at[j]);
        if (may)
            vec_push(&roles, role);
    }
    return roles;
}

/* What is told of queries over several rows: nothing says whom a change concerns. */
static struct diag *
warn_of_tables(const struct live *live, const struct match *match)
{
    struct diag *diag;

    if (match_narrows(match))
        return NULL;
    diag = diag_at(live->span, PGS4150_LIVE_ASKED_AGAIN,
                   "live query \"%s\" is asked for again at every change of what it reads: %s",
                   live->name, match->reason.text);
    diag_hint(diag, "compare a column with a parameter or auth.uid() by `=`: then only the changes "
                    "of such rows count");
    return diag;
}

static struct diag *
warn_of_rows(const struct live *live, const struct match *match)
{
    struct span span = match->reason.span.file ? match->reason.span : live->span;
    struct diag *diag;

    diag = diag_at(span, PGS4150_LIVE_ASKED_AGAIN, "live query \"%s\" is asked for again at %s: %s",
                   live->name,
                   match_narrows(match) ? "each change that may concern its subscriber"
                                        : "every change of what it reads",
                   match->reason.text);
    diag_note(diag, live->span, "\"%s\" is here", live->name);
    diag_hint(diag, "`pgstack explain PGS4150` lists what is matched by the server itself");
    return diag;
}

void
check_live_matched(const struct model *model, const struct live *live)
{
    struct roles roles = live_subscribers(model, live);

    if (diag_errors() > 0)
        return;
    for (size_t i = 0; i < roles.n; i++) {
        const struct match *match = match_make(model, live, roles.at[i]);

        if (match->compiled)
            continue;
        if (match->simple ? warn_of_rows(live, match) : warn_of_tables(live, match))
            return;
    }
}
