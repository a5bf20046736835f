/* SPDX-License-Identifier: MIT */
/*
 * Queries of one shape: what they differ in is constants that a condition compares with something.
 * Several are one statement,
 *
 *     SELECT q.*, v.place FROM (VALUES (0, 'a'), (1, 'b')) v (place, c1), LATERAL (query with c1) q
 *
 * put together as a tree: no value is printed, and no name can be taken for another.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "worker.h"

#if PG_VERSION_NUM >= 180000
#define get_op_btree_interpretation get_op_index_interpretation /* of what orders, still */
#endif

/* The columns of VALUES before those of the constants: the place in the list. */
#define LEADING 1

static List *shapes = NIL;

/* ---- taking the constants out ---- */

struct lifting {
    int depth;              /* of queries; at 1 VALUES is one level up */
    bool in_condition;      /* of a WHERE or ON */
    bool in_comparison;     /* the next node is an operand of one */
    const Bitmapset *stays; /* the constants to be left where they are, by their number */
    List *constants;        /* all, in the order in which they were met */
    int columns;            /* of them in VALUES */
};

static Node *lift(Node *node, void *context);

/*
 * A comparison is as good with a column as with a constant, to an index too.  Of other operators
 * that is not so (LIKE), and what stands elsewhere may have to be the same as something else (GROUP
 * BY).
 */
static bool
is_comparison(Node *node)
{
    return IsA(node, OpExpr) && list_length(((OpExpr *)node)->args) == 2 &&
           get_op_btree_interpretation(((OpExpr *)node)->opno) != NIL;
}

static Node *
lift_constant(Const *constant, struct lifting *lifting)
{
    int number = list_length(lifting->constants);
    Const *copy = copyObject(constant);

    copy->location = -1;
    lifting->constants = lappend(lifting->constants, copy);
    if (bms_is_member(number, lifting->stays))
        return (Node *)copy;
    return (Node *)makeVar(1, (AttrNumber)(++lifting->columns + LEADING), copy->consttype,
                           copy->consttypmod, copy->constcollid, lifting->depth);
}

static Node *
lift_query(Query *query, struct lifting *lifting)
{
    bool in_condition = lifting->in_condition;
    Query *copy;

    lifting->in_condition = false;
    lifting->depth++;
    copy = query_tree_mutator(query, lift, lifting, 0);
    lifting->depth--;
    lifting->in_condition = in_condition;
    return (Node *)copy;
}

static Node *
lift_condition(Node *condition, struct lifting *lifting)
{
    Node *copy;

    lifting->in_condition = true;
    copy = lift(condition, lifting);
    lifting->in_condition = false;
    return copy;
}

static Node *
lift_from(const FromExpr *from, struct lifting *lifting)
{
    List *tables = (List *)lift((Node *)from->fromlist, lifting);

    return (Node *)makeFromExpr(tables, lift_condition(from->quals, lifting));
}

static Node *
lift_join(const JoinExpr *join, struct lifting *lifting)
{
    JoinExpr *copy = makeNode(JoinExpr);

    *copy = *join;
    copy->larg = lift(join->larg, lifting);
    copy->rarg = lift(join->rarg, lifting);
    copy->quals = lift_condition(join->quals, lifting);
    return (Node *)copy;
}

static Node *
lift_comparison(const OpExpr *operation, struct lifting *lifting)
{
    OpExpr *copy = makeNode(OpExpr);
    ListCell *cell;

    *copy = *operation;
    copy->args = NIL;
    foreach (cell, operation->args) {
        lifting->in_comparison = true;
        copy->args = lappend(copy->args, lift(lfirst(cell), lifting));
    }
    return (Node *)copy;
}

static Node *
lift(Node *node, void *context)
{
    struct lifting *lifting = context;
    bool in_comparison = lifting->in_comparison;

    lifting->in_comparison = false;
    if (node == NULL)
        return NULL;
    if (IsA(node, Query))
        return lift_query((Query *)node, lifting);
    if (IsA(node, FromExpr))
        return lift_from((FromExpr *)node, lifting);
    if (IsA(node, JoinExpr))
        return lift_join((JoinExpr *)node, lifting);
    if (lifting->in_condition && is_comparison(node))
        return lift_comparison((OpExpr *)node, lifting);
    if (in_comparison && IsA(node, Const) && !((Const *)node)->constisnull)
        return lift_constant((Const *)node, lifting);
    lifting->in_comparison = in_comparison && IsA(node, RelabelType);
    return expression_tree_mutator(node, lift, lifting);
}

static Query *
lift_all(Query *tree, const Bitmapset *stays, List **constants)
{
    struct lifting lifting = {.stays = stays};
    Query *copy = (Query *)lift((Node *)tree, &lifting);

    copy->stmt_location = copy->stmt_len = 0;
    *constants = lifting.constants;
    return copy;
}

/* ---- who has which ---- */

static struct pgr_shape *
find_shape(const struct pgr_subscription *subscription, Query *lifted)
{
    ListCell *cell;

    foreach (cell, shapes) {
        struct pgr_shape *shape = lfirst(cell);

        if (shape->owner == subscription->owner &&
            strcmp(shape->search_path, subscription->search_path) == 0 &&
            equal(shape->lifted, lifted))
            return shape;
    }
    return NULL;
}

static struct pgr_shape *
make_shape(const struct pgr_subscription *subscription, Query *lifted)
{
    MemoryContext memory =
        AllocSetContextCreate(TopMemoryContext, "pg_reactive shape", ALLOCSET_SMALL_SIZES);
    MemoryContext before = MemoryContextSwitchTo(memory);
    struct pgr_shape *shape = palloc0(sizeof(*shape));

    shape->memory = memory;
    shape->owner = subscription->owner;
    shape->search_path = pstrdup(subscription->search_path);
    shape->lifted = copyObject(lifted);
    MemoryContextSwitchTo(TopMemoryContext);
    shapes = lappend(shapes, shape);
    MemoryContextSwitchTo(before);
    return shape;
}

static void
keep_constants(struct pgr_subscription *subscription, List *constants)
{
    char *text = nodeToString(constants);
    MemoryContext before;

    if (subscription->constants_memory == NULL)
        subscription->constants_memory = AllocSetContextCreate(
            subscription->memory, "pg_reactive constants", ALLOCSET_SMALL_SIZES);
    MemoryContextReset(subscription->constants_memory);
    before = MemoryContextSwitchTo(subscription->constants_memory);
    subscription->constants = copyObject(constants);
    subscription->constants_hash = hash_bytes((const uint8 *)text, (int)strlen(text));
    MemoryContextSwitchTo(before);
}

void
pgr_shape_join(struct pgr_subscription *subscription, Query *tree)
{
    List *constants;
    Query *lifted = lift_all(tree, NULL, &constants);
    struct pgr_shape *shape;
    MemoryContext before;

    pgr_shape_leave(subscription);
    keep_constants(subscription, constants);
    shape = find_shape(subscription, lifted);
    if (shape == NULL)
        shape = make_shape(subscription, lifted);
    before = MemoryContextSwitchTo(shape->memory);
    shape->members = lappend(shape->members, subscription);
    MemoryContextSwitchTo(before);
    subscription->shape = shape;
}

void
pgr_shape_leave(struct pgr_subscription *subscription)
{
    struct pgr_shape *shape = subscription->shape;

    if (shape == NULL)
        return;
    subscription->shape = NULL;
    shape->members = list_delete_ptr(shape->members, subscription);
    if (shape->members != NIL)
        return;
    shapes = list_delete_ptr(shapes, shape);
    MemoryContextDelete(shape->memory);
}

/* ---- one statement for several ---- */

static bool
have_same(List *places, int number)
{
    Node *first = list_nth(linitial(places), number);
    ListCell *cell;

    foreach (cell, places)
        if (!equal(list_nth(lfirst(cell), number), first))
            return false;
    return true;
}

/* What all have in common stays a constant: a partial index may be for it. */
static Bitmapset *
find_common(List *places)
{
    Bitmapset *common = NULL;

    for (int i = 0; i < list_length(linitial(places)); i++)
        if (have_same(places, i))
            common = bms_add_member(common, i);
    return common;
}

static void
add_column(RangeTblEntry *values, const Const *constant, const char *name)
{
    values->coltypes = lappend_oid(values->coltypes, constant->consttype);
    values->coltypmods = lappend_int(values->coltypmods, constant->consttypmod);
    values->colcollations = lappend_oid(values->colcollations, constant->constcollid);
    values->eref->colnames = lappend(values->eref->colnames, makeString(pstrdup(name)));
}

static Const *
number_constant(int number)
{
    return makeConst(INT4OID, -1, InvalidOid, sizeof(int32), Int32GetDatum(number), false, true);
}

static List *
values_row(List *constants, int place, const Bitmapset *common)
{
    List *row = list_make1(number_constant(place));
    ListCell *cell;

    foreach (cell, constants)
        if (!bms_is_member(foreach_current_index(cell), common))
            row = lappend(row, lfirst(cell));
    return row;
}

static RangeTblEntry *
make_values(List *places, const Bitmapset *common)
{
    RangeTblEntry *values = makeNode(RangeTblEntry);
    ListCell *cell;

    values->rtekind = RTE_VALUES;
    values->inFromCl = true;
    values->eref = makeAlias("v", NIL);
    foreach (cell, places)
        values->values_lists = lappend(
            values->values_lists, values_row(lfirst(cell), foreach_current_index(cell), common));
    foreach (cell, linitial(values->values_lists))
        add_column(values, lfirst(cell), psprintf("c%d", foreach_current_index(cell)));
    return values;
}

static RangeTblEntry *
make_subquery(Query *query)
{
    RangeTblEntry *subquery = makeNode(RangeTblEntry);
    ListCell *cell;

    subquery->rtekind = RTE_SUBQUERY;
    subquery->lateral = subquery->inFromCl = true;
    subquery->subquery = query;
    subquery->eref = makeAlias("q", NIL);
    foreach (cell, query->targetList) {
        TargetEntry *target = lfirst(cell);

        if (!target->resjunk)
            subquery->eref->colnames =
                lappend(subquery->eref->colnames, makeString(pstrdup(target->resname)));
    }
    return subquery;
}

static RangeTblRef *
make_reference(int number)
{
    RangeTblRef *reference = makeNode(RangeTblRef);

    reference->rtindex = number;
    return reference;
}

static List *
make_targets(Query *query)
{
    Var *place = makeVar(1, LEADING, INT4OID, -1, InvalidOid, 0);
    List *targets = NIL;
    ListCell *cell;

    foreach (cell, query->targetList) {
        TargetEntry *target = lfirst(cell);

        if (!target->resjunk)
            targets = lappend(targets, makeTargetEntry((Expr *)makeVarFromTargetEntry(2, target),
                                                       (AttrNumber)(list_length(targets) + 1),
                                                       target->resname, false));
    }
    return lappend(targets, makeTargetEntry((Expr *)place, (AttrNumber)(list_length(targets) + 1),
                                            pstrdup("place"), false));
}

Query *
pgr_shape_query(const struct pgr_shape *shape, Query *tree, List *places)
{
    Bitmapset *common = find_common(places);
    Query *query = makeNode(Query);
    List *constants;
    Query *inner;

    if (!equal(shape->lifted, lift_all(tree, NULL, &constants)))
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("its definition has changed"));
    inner = lift_all(tree, common, &constants);
    query->commandType = CMD_SELECT;
    query->canSetTag = true;
    query->hasRowSecurity = inner->hasRowSecurity;
    query->rtable = list_make2(make_values(places, common), make_subquery(inner));
    query->jointree = makeFromExpr(list_make2(make_reference(1), make_reference(2)), NULL);
    query->targetList = make_targets(inner);
    return query;
}
