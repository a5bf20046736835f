/* SPDX-License-Identifier: MIT */
/*
 * What the C library keeps of memory that was freed.
 */
#ifndef PGS_BASE_MEMORY_H
#define PGS_BASE_MEMORY_H

/* Before threads start.  A large answer's memory goes back to the system at once; what usual ones
 * took is kept for the next. */
void pgs_memory_open(void);

/* All that is free in the calling thread goes back, and what others have in whole pages. */
void pgs_memory_give_back(void);

#endif
