/* SPDX-License-Identifier: MIT */
/* Constructors for what stands in tables and beside them: keys, indexes, partitions. */
#include <string.h>

#include "base/arena.h"
#include "syntax/ast_make.h"
#include "text/diag.h"

struct ast_names
names_of(struct ast_name name)
{
    struct ast_names names = {0};

    vec_push(&names, name);
    return names;
}

struct ast_item
item_from(struct ast_expr *expr)
{
    struct ast_item item = {.span = expr->span, .expr = expr};

    if (expr->kind == AST_COLLATE) {
        item.collation = expr->path;
        item.expr = expr->args.at[0];
    }
    return item;
}

void
column_generated(struct ast_column *column, struct span span, struct ast_expr *expr)
{
    say_once(column->generated != NULL || column->identity != AST_IDENTITY_NONE, span, "generated");
    column->generated = expr;
    column->generated_span = span;
    column->span = span_join(column->span, span);
}

void
constraint_defer(struct ast_constraint *constraint, struct span span, enum ast_deferral deferral)
{
    static const char *const words[] = {
        [AST_DEFERRABLE] = "deferrable",
        [AST_NOT_DEFERRABLE] = "not deferrable",
        [AST_INITIALLY_DEFERRED] = "initially deferred",
        [AST_INITIALLY_IMMEDIATE] = "initially immediate",
    };

    say_once(constraint->deferrals[deferral].file != NULL, span, words[deferral]);
    constraint->deferrals[deferral] = span;
    constraint->span = span_join(constraint->span, span);
}

void
column_defer(struct ast_column *column, struct span span, enum ast_deferral deferral)
{
    struct diag *diag;

    column->span = span_join(column->span, span);
    if (column->constraints.n > 0) {
        constraint_defer(column->constraints.at[column->constraints.n - 1], span, deferral);
        return;
    }
    diag = diag_at(span, PGS1250_DEFERS_NOTHING, "there is no key or reference before this");
    diag_hint(diag, "it stands behind `unique`, `primary key` or `references`");
}

struct ast_partition_bound *
bound_hash(struct span span, struct ast_name first, struct token modulus, struct ast_name second,
           struct token remainder)
{
    struct ast_partition_bound *bound = arena_alloc(sizeof(*bound));

    bound->kind = AST_BOUND_HASH;
    bound->span = span;
    bound->modulus = whole_number(modulus, 1000000);
    bound->remainder = whole_number(remainder, 1000000);
    if (strcmp(first.text, "modulus") != 0 || strcmp(second.text, "remainder") != 0)
        diag_at(span_join(first.span, second.span), PGS0020_SYNTAX,
                "expected `with (modulus 4, remainder 0)`");
    return bound;
}
