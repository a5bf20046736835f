/* SPDX-License-Identifier: MIT */
/* What the feed asks PostgreSQL in SQL, for --dump-sql too. */
#ifndef PGS_DB_FEED_SQL_H
#define PGS_DB_FEED_SQL_H

/* Of a publication: whether it is there, and whether there is room for a slot. */
#define PGS_LOG_LOOK_FORMAT                                                                        \
    "select exists (select from pg_catalog.pg_publication where pubname = '%s'),"                  \
    " (select count(*) from pg_catalog.pg_replication_slots)"                                      \
    " < pg_catalog.current_setting('max_replication_slots')::integer"

/* When a slot has been made: transactions before this one may have committed too early to be told,
 * and too late to be seen now.  Then whether all of them have ended. */
#define PGS_LOG_BEGINS_SQL "select pg_catalog.pg_current_xact_id()"
#define PGS_LOG_ALL_ENDED_FORMAT                                                                   \
    "select (pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())"                        \
    " >= '%s')::integer"

/* Of a slot that is still being made: whoever makes it ends. */
#define PGS_LOG_GIVE_UP_FORMAT                                                                     \
    "select pg_catalog.pg_terminate_backend(active_pid) from pg_catalog.pg_replication_slots"      \
    " where slot_name = '%s' and active_pid is not null"

#define PGS_OUTBOX_MAX_RECORDS "50000"  /* statements that are read at once */
#define PGS_OUTBOX_MAX_BYTES "16777216" /* of rows; above it they are not read */
#define PGS_OUTBOX_MAX_DELETED "1000"   /* between two readings, from either range */
#define PGS_OUTBOX_MAX_SWEPT "5000"     /* while nobody reads */

/* Triggers write from now on, and until when.  It is a transaction with a number that has ended, so
 * that all that began before it are in the next snapshot, or have ended. */
#define PGS_OUTBOX_LISTEN_SQL "select until_ms::text, told_ms::text from pgstack_live.listen()"

/* What can be seen, in a transaction of what number, and who is under way. */
#define PGS_OUTBOX_NOW_SQL                                                                         \
    "select s::text, pg_current_xact_id()::text, array(select pg_snapshot_xip(s))::text"           \
    " from (select pg_current_snapshot() as s) as now"

/* Left by a database that this one was restored from: the numbers of its transactions are not ours.
 */
#define PGS_OUTBOX_FORGET_SQL                                                                      \
    "delete from pgstack_live.outbox where xid >= pg_snapshot_xmax(pg_current_snapshot())"

/* What has been committed since a snapshot, a transaction after the other, those that waited for
 * each other's rows in that order.  Not from its xmin on: one old transaction would hold that, and
 * all since then would be walked each time. */
#define PGS_OUTBOX_READ_SQL                                                                        \
    "select now.snapshot, now.ms, o.xid::text, o.table_schema, o.table_name, o.columns,"           \
    " case when o.total <= " PGS_OUTBOX_MAX_BYTES " then o.before end,"                            \
    " case when o.total <= " PGS_OUTBOX_MAX_BYTES " then o.after end"                              \
    " from (select pg_current_snapshot()::text as snapshot,"                                       \
    " floor(extract(epoch from clock_timestamp()) * 1000)::bigint::text as ms) as now"             \
    " left join (select c.*, max(c.id) over (partition by c.xid) as last,"                         \
    " sum(c.bytes) over (order by c.id) as total"                                                  \
    " from (select * from pgstack_live.outbox where xid >= pg_snapshot_xmax($1)"                   \
    " or xid = any (array(select pg_snapshot_xip($1)))"                                            \
    " order by id limit " PGS_OUTBOX_MAX_RECORDS " + 1) as c) as o on true"                        \
    " order by o.last, o.id"

/* Of transactions that were under way: which of them have ended. */
#define PGS_OUTBOX_ENDED_SQL                                                                       \
    "select x::text, pg_visible_in_snapshot(x, pg_current_snapshot())::text"                       \
    " from unnest($1::xid8[]) as x"

/* What everybody who listens has read ($1), in order, but for what is deleted already ($2, and of
 * the rest what is before $3), or its dead entries would be walked again; and what nobody will
 * read. */
#define PGS_OUTBOX_DELETE_SQL                                                                      \
    "with gone as (delete from pgstack_live.outbox where ctid = any (array("                       \
    "(select ctid from pgstack_live.outbox where xid = any (array(select pg_snapshot_xip($2)))"    \
    " and pg_visible_in_snapshot(xid, $1) limit " PGS_OUTBOX_MAX_DELETED ")"                       \
    " union all (select ctid from pgstack_live.outbox"                                             \
    " where xid >= greatest(pg_snapshot_xmax($2), $3::xid8) and xid < pg_snapshot_xmax($1)"        \
    " and pg_visible_in_snapshot(xid, $1) order by xid limit " PGS_OUTBOX_MAX_DELETED ")))"        \
    " returning xid) select count(*)::text, max(xid)::text from gone"
#define PGS_OUTBOX_SWEEP_SQL                                                                       \
    "delete from pgstack_live.outbox where ctid = any (array(select ctid from pgstack_live.outbox" \
    " where (select last_value from pgstack_live.listening)"                                       \
    " < extract(epoch from clock_timestamp()) * 1000 - 20000"                                      \
    " limit " PGS_OUTBOX_MAX_SWEPT "))"

#endif
