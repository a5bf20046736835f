/* SPDX-License-Identifier: MIT */
/* What live/ asks PostgreSQL beside the declared queries, for --dump-sql. */
#ifndef PGS_LIVE_SQL_H
#define PGS_LIVE_SQL_H

/* First of each asking: what the rows behind it were seen under, and a place in the log behind all
 * commits that were seen. */
#define PGS_LIVE_SNAPSHOT_SQL                                                                      \
    "select pg_current_snapshot()::text,"                                                          \
    " (case when not pg_is_in_recovery() then pg_current_wal_insert_lsn() end)::text"

#endif
