/* SPDX-License-Identifier: MIT */
/*
 * Queries that read a whole table: a search by a part of a text, a function around a column, an
 * order by chance; and pages of what has no order.  Where policies narrow the rows, PostgreSQL
 * would not use such an index anyway, and nothing is said.
 */
#include "rights/rights.h"

#include <string.h>

#include "model/walk.h"
#include "rights/branch.h"

/* ---- what stands where ---- */

struct finding {
    const struct expr *column; /* the only one of a table's row; NULL: none, or several */
    size_t columns;
    bool select;
};

static void
visit_column(const struct expr *expr, void *data)
{
    struct finding *finding = data;

    finding->select |= expr->select != NULL;
    if (expr->kind == EXPR_COLUMN) {
        finding->column = expr;
        finding->columns++;
    }
}

static struct finding
find_columns(const struct expr *expr)
{
    struct finding finding = {0};

    walk_expr(expr, visit_column, &finding);
    return finding;
}

/* Whatever the row: an argument, a claim, a constant. */
static bool
is_outside_row(const struct expr *expr)
{
    struct finding finding = find_columns(expr);

    return finding.columns == 0 && !finding.select;
}

/* The rows of it are all open: its indexes serve. */
static bool
is_open(const struct table *table)
{
    if (table->is_view || table->derived || table->builtin || table->scan_ok)
        return false;
    if (table->inlined)
        return true;
    for (size_t i = 0; i < table->policies.n; i++)
        if (table->policies.at[i]->command == CMD_SELECT &&
            (!table->policies.at[i]->using_expr ||
             table->policies.at[i]->using_expr->kind != EXPR_PUBLIC))
            return false;
    return table->policies.n > 0;
}

/* Some other condition narrows the rows by an index. */
static bool
is_narrowed(const struct expr *where, const struct range *range)
{
    const struct expr *left, *right;

    if (check_is_op(where, "and"))
        return is_narrowed(where->args.at[0], range) || is_narrowed(where->args.at[1], range);
    if (!check_is_op(where, "="))
        return false;
    left = where->args.at[0];
    right = where->args.at[1];
    return (left->kind == EXPR_COLUMN && left->range == range && is_outside_row(right) &&
            check_is_indexed(left->column)) ||
           (right->kind == EXPR_COLUMN && right->range == range && is_outside_row(left) &&
            check_is_indexed(right->column));
}

/* ---- indexes over what is computed ---- */

/* The same but for the range: the index is over the row of the table itself. */
static bool
is_same_computed(const struct expr *a, const struct expr *b)
{
    if (a->kind == EXPR_CAST && b->kind != EXPR_CAST)
        return is_same_computed(a->args.at[0], b);
    if (b->kind == EXPR_CAST && a->kind != EXPR_CAST)
        return is_same_computed(a, b->args.at[0]);
    if (a->kind != b->kind || a->args.n != b->args.n || a->column != b->column)
        return false;
    if (a->kind == EXPR_LITERAL)
        return strcmp(a->text, b->text) == 0;
    if (a->name && b->name && strcmp(a->name, b->name) != 0)
        return false;
    for (size_t i = 0; i < a->args.n; i++)
        if (!a->args.at[i] || !b->args.at[i] ? a->args.at[i] != b->args.at[i]
                                             : !is_same_computed(a->args.at[i], b->args.at[i]))
            return false;
    return true;
}

static const char *
method_of(const struct index *index)
{
    return index->method ? index->method : "btree";
}

static bool
has_index(const struct table *table, const struct expr *expr, bool search)
{
    for (size_t i = 0; i < table->indexes.n; i++) {
        const struct index *index = table->indexes.at[i];
        bool searches =
            strcmp(method_of(index), "gin") == 0 || strcmp(method_of(index), "gist") == 0;

        if (searches != search || index->items.n == 0)
            continue;
        for (size_t j = 0; j < (search ? index->items.n : 1); j++) {
            const struct index_item *item = &index->items.at[j];

            if (item->column ? expr->kind == EXPR_COLUMN && item->column == expr->column
                             : is_same_computed(item->expr, expr))
                return true;
        }
    }
    return false;
}

/* ---- one condition of a query ---- */

struct searching {
    const char *what; /* query "find" */
    const struct select *select;
};

static bool
begins_anywhere(const struct expr *pattern)
{
    if (pattern->kind == EXPR_CAST)
        return begins_anywhere(pattern->args.at[0]);
    if (check_is_op(pattern, "||") || check_is_call(pattern, "concat"))
        return pattern->args.n > 0 && begins_anywhere(pattern->args.at[0]);
    return pattern->kind == EXPR_LITERAL && pattern->value &&
           (pattern->value[0] == '%' || pattern->value[0] == '_');
}

static const struct expr *
searched_by(const struct searching *searching, const struct expr *expr)
{
    const struct expr *side = walk_behind_casts(expr);
    struct finding finding = find_columns(side);

    if (finding.columns == 0 || finding.select || finding.column->range->implicit ||
        !is_open(finding.column->range->table) ||
        (searching->select->where && is_narrowed(searching->select->where, finding.column->range)))
        return NULL;
    return finding.column;
}

static void
check_pattern(const struct searching *searching, const struct expr *expr)
{
    bool likes = check_is_op(expr, "like") || check_is_op(expr, "ilike");
    const struct expr *column;
    struct diag *diag;

    if ((!likes || !begins_anywhere(expr->args.at[1])) && !check_is_op(expr, "@@"))
        return;
    column = searched_by(searching, expr->args.at[0]);
    if (!column || has_index(column->range->table, walk_behind_casts(expr->args.at[0]), true))
        return;
    diag = diag_at(expr->span, PGS3322_SEARCH_WITHOUT_INDEX,
                   "%s reads all of \"%s\": no index finds a part of \"%s\"", searching->what,
                   column->range->table->name, column->column->name);
    diag_note(diag, column->column->span, "\"%s\" is here", column->column->name);
    diag_hint(diag,
              likes ? "`extension pg_trgm;` and `index using gin (%s gin_trgm_ops)`, or `scan ok` "
                      "on an endpoint of a table that stays small"
                    : "add `index using gin (...)` over the left side as it stands here, or `scan "
                      "ok` on an endpoint of the table",
              column->column->name);
}

static void
check_computed(const struct searching *searching, const struct expr *expr)
{
    for (size_t i = 0; check_is_op(expr, "=") && i < 2; i++) {
        const struct expr *side = walk_behind_casts(expr->args.at[i]), *column;
        struct diag *diag;

        if (side->kind != EXPR_CALL || side->is_auth || !is_outside_row(expr->args.at[1 - i]))
            continue;
        column = searched_by(searching, side);
        if (!column || has_index(column->range->table, side, false) ||
            !check_is_indexed(column->column))
            continue;
        diag = diag_at(side->span, PGS3323_COMPUTED_WITHOUT_INDEX,
                       "%s compares %s() of \"%s\": the index on the column does not serve it",
                       searching->what, side->name, column->column->name);
        diag_note(diag, column->column->span, "\"%s\" is here", column->column->name);
        diag_hint(diag,
                  side->args.n == 1
                      ? "add an index over the same expression: `index (%s(%s))`"
                      : "compare the column with the ends of a range, or add an index over "
                        "the same expression",
                  side->name, column->column->name);
    }
}

static void
visit(const struct expr *expr, void *data)
{
    check_pattern(data, expr);
    check_computed(data, expr);
}

/* ---- order ---- */

/* One row at most: an aggregate without groups. */
static bool
is_one_row(const struct select *select)
{
    return select_has_aggregate(select) ? select->group_by.n == 0 : select->from.n == 0;
}

static void
check_select_order(const struct searching *searching)
{
    const struct select *select = searching->select;
    struct diag *diag;

    if (select->offset && select->order_by.n == 0 && !is_one_row(select)) {
        diag = diag_at(select->offset->span, PGS3320_PAGE_WITHOUT_ORDER,
                       "%s gives pages of what has no order: rows come twice, or never",
                       searching->what);
        diag_hint(diag, "add `order by` with a key at its end, as in `order by created_at, id`");
    }
    for (size_t i = 0; i < select->order_by.n; i++) {
        const struct expr *expr = select->order_by.at[i].expr;

        if (!check_is_call(expr, "random") && !check_is_call(expr, "gen_random_uuid"))
            continue;
        diag = diag_at(expr->span, PGS3321_RANDOM_ORDER,
                       "%s sorts all rows by chance to give a few", searching->what);
        diag_hint(diag, "keep a random number in an indexed column, and take those from a random "
                        "start on");
    }
}

static void
check_select_of(const char *what, const struct select *select)
{
    struct searching searching = {what, select};

    if (!select || select->kind != SELECT_PLAIN)
        return;
    check_select_order(&searching);
    if (select->where)
        walk_expr(select->where, visit, &searching);
}

/* ---- policies ---- */

/* What stands around the column keeps the column's own index from serving: a call, a cast. */
static bool
is_wrapped(const struct expr *expr)
{
    const struct expr *inner = walk_behind_casts(expr);

    if (inner->kind == EXPR_CALL && !inner->is_auth)
        return strcmp(inner->name, "coalesce") != 0;
    return expr->kind == EXPR_CAST && inner->kind == EXPR_COLUMN &&
           !(type_is_text(expr->type) && type_is_text(inner->type)) &&
           expr->type.kind != inner->type.kind;
}

static bool
is_of_caller(const struct atom *atom, const struct expr *expr)
{
    struct atom side = {.expr = expr, .binding = atom->binding};
    struct mentions found = check_mentions(&side, NULL);

    return found.caller && !found.row && !found.select;
}

/* The side of a comparison with the caller that is computed from one column of the row. */
static const struct expr *
computed_side(const struct atom *atom)
{
    for (size_t i = 0; !atom->negated && check_is_op(atom->expr, "=") && i < 2; i++) {
        const struct expr *side = atom->expr->args.at[i];
        struct finding finding = find_columns(side);

        if (finding.columns == 1 && !finding.select && finding.column->range->implicit &&
            is_wrapped(side) && is_of_caller(atom, atom->expr->args.at[1 - i]))
            return side;
    }
    return NULL;
}

static bool
is_served_otherwise(const struct branch *branch)
{
    for (size_t i = 0; i < branch->atoms.n; i++)
        for (size_t j = 0; check_is_op(branch->atoms.at[i].expr, "=") && j < 2; j++) {
            const struct expr *side = branch->atoms.at[i].expr->args.at[j];

            if (side->kind == EXPR_COLUMN && side->range->implicit &&
                check_is_indexed(side->column))
                return true;
        }
    return false;
}

static bool
is_told(const struct checker *checker, const struct expr *expr)
{
    for (size_t i = 0; i < checker->decided.n; i++)
        if (check_same_place(checker->decided.at[i], expr->span))
            return true;
    return false;
}

static void
check_policy_branch(const struct checker *checker, const struct policy *policy,
                    const struct branch *branch)
{
    for (size_t i = 0; i < branch->atoms.n && !is_served_otherwise(branch); i++) {
        const struct expr *side = computed_side(&branch->atoms.at[i]);
        const struct column *column = side ? find_columns(side).column->column : NULL;
        struct diag *diag;

        if (!side || has_index(policy->table, side, false) ||
            is_told(checker, branch->atoms.at[i].expr))
            continue;
        diag = diag_at(side->span, PGS3323_COMPUTED_WITHOUT_INDEX,
                       "policy \"%s\" compares what is computed from \"%s\": no index on the "
                       "column serves it",
                       policy->name, column->name);
        diag_note(diag, column->span, "\"%s\" is here", column->name);
        diag_hint(diag, "compare the column as it is, add an index over the same expression, or "
                        "say `scan ok` on the endpoint of a table that stays small");
        return;
    }
}

static void
check_policy(const struct checker *checker, const struct policy *policy)
{
    struct branches branches = {0};

    if (policy->command != CMD_SELECT || policy->restrictive || !policy->using_expr ||
        policy->table->scan_ok || !check_branches(policy->using_expr, &branches))
        return;
    for (size_t i = 0; i < branches.n; i++)
        check_policy_branch(checker, policy, &branches.at[i]);
}

/* ---- letters that a key tells apart ---- */

struct folding {
    const struct expr *call; /* lower(email) */
    const struct constraint *key;
};

static bool
is_folded_key(const struct table *table, const struct expr *call)
{
    for (size_t i = 0; i < table->indexes.n; i++)
        if (table->indexes.at[i]->unique && table->indexes.at[i]->items.n == 1 &&
            table->indexes.at[i]->items.at[0].expr &&
            is_same_computed(table->indexes.at[i]->items.at[0].expr, call))
            return true;
    return false;
}

static void
visit_folding(const struct expr *expr, void *data)
{
    struct folding *folding = data;
    const struct expr *column = expr->args.n == 1 ? walk_behind_casts(expr->args.at[0]) : NULL;

    if (folding->call || (!check_is_call(expr, "lower") && !check_is_call(expr, "upper")) ||
        !column || column->kind != EXPR_COLUMN || column->column->table->is_view ||
        is_folded_key(column->column->table, expr))
        return;
    for (size_t i = 0; i < column->column->table->constraints.n; i++) {
        const struct constraint *key = column->column->table->constraints.at[i];

        if (key->kind == CONSTRAINT_UNIQUE && key->columns.n == 1 &&
            key->columns.at[0] == column->column)
            *folding = (struct folding){expr, key};
    }
}

static void
check_folding(const struct query *query)
{
    struct folding folding = {0};
    struct diag *diag;

    if (!query->body || !query->body->where)
        return;
    walk_expr(query->body->where, visit_folding, &folding);
    if (!folding.call)
        return;
    diag = diag_at(folding.key->span, PGS3315_LETTERS_APART,
                   "unique \"%s\" tells 'A' from 'a', and query \"%s\" does not: it finds two of "
                   "them",
                   folding.key->columns.at[0]->name, query->name);
    diag_note(diag, folding.call->span, "it is compared without regard to letters here");
    diag_hint(diag,
              "make it `index unique (%s(%s))`, or keep it in small letters: `check (%s = "
              "lower(%s))`",
              folding.call->name, folding.key->columns.at[0]->name,
              folding.key->columns.at[0]->name, folding.key->columns.at[0]->name);
}

void
check_searches(const struct checker *checker)
{
    const struct model *model = checker->model;

    for (size_t i = 0; i < model->policies.n; i++)
        check_policy(checker, model->policies.at[i]);
    for (size_t i = 0; i < model->queries.n; i++) {
        check_select_of(arena_printf("query \"%s\"", model->queries.at[i]->name),
                        model->queries.at[i]->body);
        check_folding(model->queries.at[i]);
    }
}
