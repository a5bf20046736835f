/* SPDX-License-Identifier: MIT */
#ifndef CMD_SNAPSHOT_H
#define CMD_SNAPSHOT_H

/* Writes it from schema/ and policies/, where they have no error; the exit status. */
int cmd_snapshot(void);

#endif
