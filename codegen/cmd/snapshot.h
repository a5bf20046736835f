/* SPDX-License-Identifier: MIT */
#ifndef CMD_SNAPSHOT_H
#define CMD_SNAPSHOT_H

/* The last released model, in the language. */
#define LAST_MODEL "migrations/current.schema"

/* Writes it from schema/ and policies/, where they have no error; the exit status. */
int cmd_snapshot(void);

#endif
