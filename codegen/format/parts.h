/* SPDX-License-Identifier: MIT */
/* What the formatter's files share: tokens with their comments, groups of tokens, the output. */
#ifndef FORMAT_PARTS_H
#define FORMAT_PARTS_H

#include <stdbool.h>

#include "base/str.h"
#include "format/format.h"
#include "syntax/lexer.h"

/* ---- tokens.c ---- */

struct remark {
    const char *text;
    bool ends_line;    /* nothing but a new line comes after it */
    bool blank_before; /* a blank line */
};
VEC_STRUCT(remarks, struct remark);

struct word {
    int kind;              /* TOKEN_ of grammar.y; 0: the end of the file */
    const char *text;      /* as it is printed */
    size_t width;          /* in characters */
    struct remarks before; /* comments on lines of their own, or in the line in front of it */
    struct remarks after;  /* comments that end its line */
    bool blank_before;     /* a blank line, after the comments */
};
VEC_STRUCT(words_of, struct word);

/* All of a file; the last one has kind 0. */
struct words_of format_tokens(const struct source *source);

/* Two sequences say the same: equal but for commas before a closing bracket. */
bool format_same_tokens(const struct source *a, const struct source *b);

/* A comment in front of it needs a line of its own. */
bool format_has_lines_before(const struct word *word);

/* ---- tree.c ---- */

/* A token, or what stands between two brackets (or `case` and `end`). */
struct node {
    struct word *word;  /* the token, or the opening one */
    struct word *close; /* NULL: a token alone */
    struct node *at;    /* what is between */
    size_t n;
    size_t width; /* flat, with its spaces inside */
    bool broken;  /* a comment in it ends a line, other than after its last token */
};

struct seq {
    struct node *at;
    size_t n;
};

/* Nodes of the tokens from `*next` to the end of a declaration; `*next` is then behind it. */
struct seq format_declaration(struct words_of *words, size_t *next);

/* Does a space stand before this one, in one line? */
bool format_has_space(struct seq seq, size_t i);

size_t format_width(struct seq seq);
bool format_is_broken(struct seq seq);
struct seq format_part(struct seq seq, size_t from, size_t to);

/* The word of a node is this one; names in double quotes are none. */
bool format_is(const struct node *node, const char *word);

/* ---- writer.c ---- */

/* Where a comment ends a line: those of lines in a row are aligned. */
struct mark {
    size_t offset, column, line, indent;
};

struct writer {
    struct str out;
    size_t column; /* characters of this line so far */
    bool fresh;    /* nothing is in this line yet */
    bool ended;    /* a comment has ended this line */
    bool blanks;   /* blank lines are kept here */
    bool space;    /* one stands before the next word, unless it begins a line */
    size_t line, indent;
    VEC(struct mark) marks;
};

void write_line(struct writer *writer, size_t indent);

/* A word with its comments, after a space if it does not begin a line. */
void write_word(struct writer *writer, struct word *word, bool space, size_t indent);

/* The comments in front of it, which are taken from it. */
void write_before(struct writer *writer, struct word *word, size_t indent);

/* The same where a blank line before it is kept. */
void write_item_start(struct writer *writer, struct word *word, size_t indent);

void write_flat(struct writer *writer, struct seq seq, size_t indent);

/* All of it, with the comments that end lines aligned. */
const char *write_aligned(struct writer *writer);

/* ---- layout.c ---- */

/* As it fits, in one line or in several; `tail`: characters that will follow in the last line. */
void layout(struct writer *writer, struct seq seq, size_t indent, size_t tail);
bool layout_fits(const struct writer *writer, struct seq seq, size_t tail);
void layout_group(struct writer *writer, const struct node *node, size_t indent);

/* Each part on a line of its own, or several a line where `fill`; they end with their commas. */
void layout_items(struct writer *writer, struct seq seq, bool fill, size_t indent, size_t tail);

/* One thing after the other, brackets broken where they must be. */
void layout_run(struct writer *writer, struct seq seq, size_t indent, size_t tail);

/* ---- select.c ---- */

bool select_begins(struct seq seq);
void select_layout(struct writer *writer, struct seq seq, size_t indent, size_t tail);

/* ---- declaration.c ---- */

/* What stands in a block, without its braces. */
void declaration_statement(struct writer *writer, struct seq seq, size_t indent);

void declaration_layout(struct writer *writer, struct seq seq);

#endif
