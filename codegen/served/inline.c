/* SPDX-License-Identifier: MIT */
/*
 * `inline policies`: what a policy reads with the caller's rights would be read with the owner's
 * once it stands in a view of the owner, whatever the policies of that table say.
 */
#include "served/inline.h"

#include <string.h>

#include "model/walk.h"

static void
visit_raw(const struct expr *expr, void *data)
{
    const struct expr **found = data;

    if (expr->kind == EXPR_RAW && *found == NULL)
        *found = expr;
    if (expr->kind == EXPR_PREDICATE && !expr->predicate->definer && expr->predicate->body)
        walk_expr(expr->predicate->body, visit_raw, data);
}

static void
refuse_raw(const struct endpoint *endpoint, const struct policy *policy, const struct expr *raw)
{
    struct diag *diag = diag_at(raw->span, PGS5102_INLINE_UNCHECKED,
                                "policy \"%s\" on \"%s\" is raw SQL, and cannot be inlined",
                                policy->name, policy->table->name);

    diag_note(diag, endpoint->inline_span, "`inline policies` is here");
    diag_hint(diag, "nobody can tell what it reads: write it without $$, or drop `inline "
                    "policies`");
}

static void
refuse_read(const struct endpoint *endpoint, const struct policy *policy, const struct read *read)
{
    struct diag *diag =
        diag_at(read->from, PGS5101_INLINE_READS_TABLE,
                "policy \"%s\" on \"%s\" reads \"%s\" with the caller's rights; inlined, it would "
                "read past the policies of \"%s\"",
                policy->name, policy->table->name, read->table->name, read->table->name);

    diag_note(diag, endpoint->inline_span, "`inline policies` is here");
    diag_hint(diag, "ask through a predicate with `security definer`, or drop `inline policies`");
}

/* One error a policy. */
static void
check_policy(const struct endpoint *endpoint, const struct policy *policy)
{
    const struct expr *raw = NULL;
    struct reads reads = {0};

    walk_expr(policy->using_expr, visit_raw, &raw);
    if (raw != NULL) {
        refuse_raw(endpoint, policy, raw);
        return;
    }
    check_reads(policy->using_expr, &reads);
    if (reads.n > 0)
        refuse_read(endpoint, policy, &reads.at[0]);
}

static bool
refuse_endpoint(const struct endpoint *endpoint)
{
    const struct table *table = endpoint->table;
    struct diag *diag;

    if (table->is_view) {
        diag = diag_at(endpoint->inline_span, PGS5100_INLINE_ON_VIEW,
                       "\"%s\" is a view: it has no policies to inline", table->name);
        diag_hint(diag, "drop `inline policies`, or write it at the endpoint of the table");
    } else if (!endpoint->verbs[VERB_LIST] && !endpoint->verbs[VERB_GET]) {
        diag = diag_at(endpoint->inline_span, PGS5103_INLINE_UNUSED,
                       "endpoint \"%s\" serves neither list nor get: there is nothing to inline "
                       "the policies into",
                       table->name);
        diag_hint(diag, "drop `inline policies`, or serve `list`");
    } else {
        return false;
    }
    return true;
}

void
check_inline(struct checker *checker)
{
    for (size_t i = 0; i < checker->model->endpoints.n; i++) {
        const struct endpoint *endpoint = checker->model->endpoints.at[i];
        const struct table *table = endpoint->table;

        if (endpoint->inline_span.file == NULL || refuse_endpoint(endpoint))
            continue;
        for (size_t p = 0; p < table->policies.n; p++)
            if (table->policies.at[p]->command == CMD_SELECT &&
                table->policies.at[p]->using_expr != NULL)
                check_policy(endpoint, table->policies.at[p]);
    }
}
