/* SPDX-License-Identifier: MIT */
/* A language server on standard input and output: the Language Server Protocol, 3.17. */
#ifndef LSP_H
#define LSP_H

/* Until the client says exit or hangs up; the exit status. */
int lsp_run(void);

#endif
