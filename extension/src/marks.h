/* SPDX-License-Identifier: MIT */
/* What a transaction has written of one table, as its triggers note it. */
#ifndef PGR_MARKS_H
#define PGR_MARKS_H

#include "commands/trigger.h"

#include "pg_reactive.h"

/* Values of one table; a transaction that writes more has written any. */
#define PGR_MAX_VALUES 16

struct pgr_local_mark {
    Oid table;
    int level;
    uint64 columns; /* of rows whose keys are not known */
    uint64 unkeyed; /* of rows whose keys are: what does not go by keys must know */
    uint64 keyed;   /* the same, for those that go by one of `buckets` */
    int count;
    uint16 buckets[PGR_MAX_VALUES];
};

/* The mark of a table at this level; NULL: there is no room, and everything counts as written. */
extern struct pgr_local_mark *pgr_mark_find(Oid table);

extern TriggerData *pgr_trigger_data(FunctionCallInfo fcinfo);
extern uint64 pgr_written_columns(TriggerData *data);

#endif
