/* SPDX-License-Identifier: MIT */
/*
 * Keys.  Whatever a query does with a table's rows, those that its WHERE refuses have no part in
 * it, on either side of any join.
 *
 * A value is hashed by what is stored, without calling its type's functions: so it is taken from
 * types alone whose equal values are stored alike.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "nodes/primnodes.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "marks.h"

PG_FUNCTION_INFO_V1(pgr_key);

/* ---- of a row ---- */

static int64
by_value(Datum value, int length)
{
    switch (length) {
    case 1:
        return (signed char)DatumGetChar(value);
    case 2:
        return DatumGetInt16(value);
    case 4:
        return DatumGetInt32(value);
    default:
        return DatumGetInt64(value);
    }
}

/* What is compressed or stored apart is not fetched for this. */
static bool
hash_value(Datum value, bool is_by_value, int length, uint64 seed, uint64 *hash)
{
    const void *bytes = DatumGetPointer(value);
    int64 number;

    if (is_by_value) {
        number = by_value(value, length);
        bytes = &number;
        length = sizeof(number);
    } else if (length == -1) {
        if (VARATT_IS_EXTERNAL(bytes) || VARATT_IS_COMPRESSED(bytes))
            return false;
        length = VARSIZE_ANY_EXHDR(bytes);
        bytes = VARDATA_ANY(bytes);
    } else if (length < 0) {
        return false;
    }
    *hash = hash_bytes_extended(bytes, length, seed);
    return true;
}

static bool
find_bucket(Oid table, AttrNumber column, Datum value, bool is_by_value, int length, uint32 *bucket)
{
    uint64 hash;

    if (!hash_value(value, is_by_value, length, (uint64)table << 16 | (uint16)column, &hash))
        return false;
    *bucket = (uint32)(hash % PGR_KEY_BUCKETS);
    return true;
}

static void
add_bucket(struct pgr_local_mark *mark, uint32 bucket, uint64 columns)
{
    mark->keyed |= columns;
    for (int i = 0; i < mark->count; i++)
        if (mark->buckets[i] == bucket)
            return;
    if (mark->count < PGR_MAX_VALUES)
        mark->buckets[mark->count++] = (uint16)bucket;
    else
        mark->columns |= mark->keyed;
}

static bool
is_stored(Form_pg_attribute attribute)
{
#if PG_VERSION_NUM >= 180000
    return attribute->attgenerated != ATTRIBUTE_GENERATED_VIRTUAL;
#else
    return true;
#endif
}

/*
 * A column that is not there had another name when the trigger was made.  Where it is null no query
 * asks for the row by a constant.
 */
static void
add_value(struct pgr_local_mark *mark, TriggerData *data, HeapTuple row, const char *column,
          uint64 columns)
{
    TupleDesc rows = RelationGetDescr(data->tg_relation);
    int number = SPI_fnumber(rows, column);
    Form_pg_attribute attribute = number > 0 ? TupleDescAttr(rows, number - 1) : NULL;
    bool is_null = false;
    uint32 bucket;
    Datum value;

    if (attribute == NULL || !is_stored(attribute)) {
        mark->columns |= columns;
        return;
    }
    value = heap_getattr(row, number, rows, &is_null);
    if (is_null)
        return;
    if (find_bucket(mark->table, number, value, attribute->attbyval, attribute->attlen, &bucket))
        add_bucket(mark, bucket, columns);
    else
        mark->columns |= columns;
}

Datum
pgr_key(PG_FUNCTION_ARGS)
{
    TriggerData *data = pgr_trigger_data(fcinfo);
    struct pgr_local_mark *mark = pgr_mark_find(RelationGetRelid(data->tg_relation));
    uint64 columns = pgr_written_columns(data);

    if (mark == NULL || (mark->columns & columns) == columns)
        return PointerGetDatum(NULL); /* it counts as written already */
    mark->unkeyed |= columns;
    for (int i = 0; i < data->tg_trigger->tgnargs; i++) {
        const char *column = data->tg_trigger->tgargs[i];

        add_value(mark, data, data->tg_trigtuple, column, columns);
        if (data->tg_newtuple != NULL)
            add_value(mark, data, data->tg_newtuple, column, columns);
    }
    return PointerGetDatum(NULL);
}

/* ---- of a query ---- */

static bool
is_integer(Oid type)
{
    return type == INT2OID || type == INT4OID || type == INT8OID;
}

/* Types whose equal values have the same bytes, and no two casts between them that differ. */
static bool
is_plain(Oid type)
{
    return is_integer(type) || type == BOOLOID || type == OIDOID || type == UUIDOID ||
           type == TEXTOID || type == VARCHAROID || type_is_enum(type);
}

/* The operator says "is equal" of both, as their bytes do. */
static bool
is_equality(const OpExpr *operation, Oid left, Oid right)
{
    if (is_integer(left) && is_integer(right))
        return get_op_opfamily_strategy(operation->opno, INTEGER_BTREE_FAM_OID) ==
               BTEqualStrategyNumber;
    if (left == VARCHAROID)
        left = TEXTOID;
    if (right == VARCHAROID)
        right = TEXTOID;
    return left == right && lookup_type_cache(left, TYPECACHE_EQ_OPR)->eq_opr == operation->opno &&
           (!OidIsValid(operation->inputcollid) ||
            get_collation_isdeterministic(operation->inputcollid));
}

static Node *
without_relabel(Node *node)
{
    while (IsA(node, RelabelType))
        node = (Node *)((RelabelType *)node)->arg;
    return node;
}

/* `column = constant` of that relation; NULL: it is something else. */
static const Const *
find_constant(OpExpr *operation, int relation, AttrNumber *column)
{
    Node *left = without_relabel(linitial(operation->args));
    Node *right = without_relabel(lsecond(operation->args));
    Oid type;
    Var *var;

    if (IsA(left, Const)) {
        Node *other = left;

        left = right;
        right = other;
    }
    if (!IsA(left, Var) || !IsA(right, Const))
        return NULL;
    var = (Var *)left;
    type = getBaseType(var->vartype);
    if (var->varno != relation || var->varlevelsup != 0 || var->varattno <= 0 || !is_plain(type) ||
        ((Const *)right)->constisnull ||
        !is_equality(operation, type, getBaseType(((Const *)right)->consttype)))
        return NULL;
    *column = var->varattno;
    return (Const *)right;
}

/* Few values tell few rows apart. */
static bool
has_few_values(const Const *constant)
{
    return constant->consttype == BOOLOID || type_is_enum(constant->consttype);
}

static void
take_key(OpExpr *operation, int relation, struct pgr_table *table, bool *is_weak)
{
    AttrNumber column;
    const Const *constant = find_constant(operation, relation, &column);
    uint32 bucket;

    if (constant == NULL || (table->key != 0 && !*is_weak) ||
        !find_bucket(table->oid, column, constant->constvalue, constant->constbyval,
                     constant->constlen, &bucket))
        return;
    if (table->key != 0 && has_few_values(constant))
        return;
    table->key = column;
    table->bucket = bucket;
    *is_weak = has_few_values(constant);
}

static void
look_through(Node *condition, int relation, struct pgr_table *table, bool *is_weak)
{
    ListCell *cell;

    if (condition == NULL)
        return;
    if (IsA(condition, BoolExpr) && ((BoolExpr *)condition)->boolop == AND_EXPR) {
        foreach (cell, ((BoolExpr *)condition)->args)
            look_through(lfirst(cell), relation, table, is_weak);
    } else if (IsA(condition, OpExpr) && list_length(((OpExpr *)condition)->args) == 2) {
        take_key((OpExpr *)condition, relation, table, is_weak);
    }
}

void
pgr_key_find(Query *query, int relation, struct pgr_table *table)
{
    bool is_weak = false;

    table->key = 0;
    if (query->jointree != NULL)
        look_through(query->jointree->quals, relation, table, &is_weak);
}
