/* SPDX-License-Identifier: MIT */
/*
 * Lines on their way to a descriptor that may not take them: a pipe whose reader has stopped, a
 * full terminal.  A thread of its own writes, and waits if it must; who adds a line never waits.
 * What does not fit into the buffer is dropped, and so is what the descriptor refuses, as a full
 * disk does; the limit `log_buffer` counts each line.
 *
 * poll(2) before a write would not do: another thread, or process, may fill the pipe in between.
 */
#ifndef PGS_BASE_SINK_H
#define PGS_BASE_SINK_H

#include <stddef.h>
#include <stdint.h>

struct pgs_sink;

/* `max_bytes` wait at most.  With `gather_ms`, what comes within that time leaves together.  The
 * descriptor stays the caller's. */
struct pgs_sink *pgs_sink_open(int fd, size_t max_bytes, int gather_ms);

/* Whole lines, from any thread: all or none. */
void pgs_sink_add(struct pgs_sink *sink, const char *lines, size_t len);

/* How many lines were dropped since this was asked last. */
uint64_t pgs_sink_dropped(struct pgs_sink *sink);

/* Waits until all is written, `deadline_s` at most. */
void pgs_sink_wait(struct pgs_sink *sink, int deadline_s);

/* The same, for the last time: nothing may be added any more. */
void pgs_sink_close(struct pgs_sink *sink, int deadline_s);

#endif
