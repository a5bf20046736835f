/* SPDX-License-Identifier: MIT */
/* What live/ asks PostgreSQL beside the declared queries, for --dump-sql. */
#ifndef PGS_LIVE_SQL_H
#define PGS_LIVE_SQL_H

/* First of each asking: what the rows behind it were seen under. */
#define PGS_LIVE_SNAPSHOT_SQL "select pg_current_snapshot()::text"

#endif
