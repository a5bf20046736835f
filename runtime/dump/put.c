/* SPDX-License-Identifier: MIT */
#include "dump/put.h"

#include <string.h>

#include "base/buf.h"

void
pgs__put_literal(FILE *out, const char *text)
{
    (void)fputc('"', out);
    for (; *text != '\0'; text++)
        if (*text == '"' || *text == '\\')
            (void)fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < ' ' || *text == 0x7f)
            (void)fprintf(out, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            (void)fputc(*text, out);
    (void)fputc('"', out);
}

/* `before` text `after`, as one literal. */
void
pgs__put_joined(FILE *out, const char *before, const char *text, const char *after)
{
    struct pgs_buf buf;

    pgs_buf_init(&buf, 0);
    pgs_buf_add_str(&buf, before);
    pgs_buf_add_str(&buf, text);
    pgs_buf_add_str(&buf, after);
    pgs_buf_add_char(&buf, '\0');
    pgs__put_literal(out, buf.failed ? "" : buf.at);
    pgs_buf_clear(&buf);
}

void
pgs__put_rule(FILE *out, const struct pgs__subject *subject, const char *rule)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

    if (strspn(subject->name, plain) == strlen(subject->name))
        (void)fprintf(out, "%s.%s.%s", subject->kind, subject->name, rule);
    else
        (void)fprintf(out, "%s.#%zu.%s", subject->kind, subject->number, rule);
}

void
pgs__begin_rule(FILE *out, const struct pgs__subject *subject, const char *rule)
{
    pgs__put_rule(out, subject, rule);
    (void)fputs(" =", out);
}

/* ` S.rule {", " S.rule}` */
void
pgs__put_list(FILE *out, const struct pgs__subject *subject, const char *rule)
{
    (void)fputc(' ', out);
    pgs__put_rule(out, subject, rule);
    (void)fputs(" {\", \" ", out);
    pgs__put_rule(out, subject, rule);
    (void)fputc('}', out);
}

/* ` [S.rule]` */
void
pgs__put_optional(FILE *out, const struct pgs__subject *subject, const char *rule)
{
    (void)fputs(" [", out);
    pgs__put_rule(out, subject, rule);
    (void)fputc(']', out);
}
