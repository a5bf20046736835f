/* SPDX-License-Identifier: MIT */
/* What a live query's result depends on must be known, and its columns must have names. */
#include <string.h>

#include "plan/watched.h"
#include "served/live.h"

static bool
check_names(const struct live *live)
{
    for (size_t i = 0; i < live->body->outputs.n; i++) {
        const struct output *output = &live->body->outputs.at[i];
        struct diag *diag;

        if (!output->name) {
            diag = diag_at(output->span, PGS1162_OUTPUT_WITHOUT_NAME, "this column has no name");
            diag_hint(diag, "add `as` and a name: subscribers get objects");
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            const struct output *earlier = &live->body->outputs.at[j];

            if (strcmp(earlier->name, output->name) != 0)
                continue;
            diag = diag_at(output->span, PGS1163_DUPLICATE_OUTPUT,
                           "live query \"%s\" has two columns \"%s\"", live->name, output->name);
            diag_note(diag, earlier->span, "the first is here");
            diag_hint(diag, "add `as` and another name");
            return false;
        }
    }
    return true;
}

static bool
check_known(const struct model *model, const struct live *live)
{
    struct watched watched = plan_watched(model, live);
    struct diag *diag;

    if (!watched.raw)
        return true;
    diag = diag_at(watched.raw_policy ? live->span : watched.raw->span, PGS4145_LIVE_UNCHECKED,
                   "live query \"%s\" depends on SQL in $$, which is not known", live->name);
    if (watched.raw_policy)
        diag_note(diag, watched.raw->span, "policy \"%s\" decides by it", watched.raw_policy->name);
    diag_hint(diag, watched.raw->kind == EXPR_FUNCTION
                        ? "write the function's body without $$, or a predicate in its place"
                        : "write the condition without $$");
    return false;
}

static bool
reads_itself(const struct live *live, const struct table *view)
{
    struct reads reads = {0};

    check_reads_select(live->body, &reads);
    for (size_t i = 0; i < reads.n; i++)
        if (reads.at[i].table == view)
            return true;
    return false;
}

/* Through policies and functions; live_rule.c says it of views that the query itself reads. */
static bool
check_untold(const struct model *model, const struct live *live)
{
    struct watched watched = plan_watched(model, live);
    const struct range *view = watched.untold;
    struct diag *diag;

    if (!view || reads_itself(live, view->table))
        return true;
    if (view->table->materialized) {
        diag =
            diag_at(live->span, PGS4306_LIVE_STORED,
                    "live query \"%s\" depends on \"%s\", which no write changes: nobody would be "
                    "told when it decides otherwise",
                    live->name, view->table->name);
        diag_hint(diag, "read the tables of the view in its place, or a plain view");
    } else {
        diag = diag_at(live->span, PGS4137_LIVE_ON_RAW,
                       "live query \"%s\" depends on view \"%s\", whose tables are not known",
                       live->name, view->table->name);
        diag_hint(diag, "write the view without $$, or read its tables in its place");
    }
    if (watched.untold_policy)
        diag_note(diag, view->span, "policy \"%s\" decides by it", watched.untold_policy->name);
    else
        diag_note(diag, view->span, "it is read here");
    return false;
}

bool
check_live_watched(const struct model *model, const struct live *live)
{
    return check_names(live) && check_known(model, live) && check_untold(model, live);
}
