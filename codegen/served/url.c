/* SPDX-License-Identifier: MIT */
#include "served/url.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Where strangers get a name for the asking: hosts of pages, of functions, of tunnels. */
static const char *const shared_suffixes[] = {
    "amazonaws.com",
    "amplifyapp.com",
    "appspot.com",
    "azurestaticapps.net",
    "azurewebsites.net",
    "blogspot.com",
    "bolt.host",
    "cloudfront.net",
    "cloudfunctions.net",
    "codesandbox.io",
    "csb.app",
    "deno.dev",
    "deno.net",
    "firebaseapp.com",
    "fly.dev",
    "gitbook.io",
    "github.dev",
    "github.io",
    "gitlab.io",
    "gitpod.io",
    "glitch.me",
    "herokuapp.com",
    "hf.space",
    "loca.lt",
    "lovable.app",
    "lovableproject.com",
    "myshopify.com",
    "netlify.app",
    "ngrok-free.app",
    "ngrok-free.dev",
    "ngrok.app",
    "ngrok.dev",
    "ngrok.io",
    "onrender.com",
    "pages.dev",
    "pythonanywhere.com",
    "r2.dev",
    "railway.app",
    "readthedocs.io",
    "render.com",
    "repl.co",
    "replit.app",
    "replit.dev",
    "run.app",
    "squarespace.com",
    "stackblitz.io",
    "streamlit.app",
    "supabase.co",
    "surge.sh",
    "translate.goog",
    "trycloudflare.com",
    "tunnelmole.net",
    "up.railway.app",
    "v0.app",
    "vercel.app",
    "vercel.dev",
    "web.app",
    "webcontainer.io",
    "webflow.io",
    "weebly.com",
    "wixsite.com",
    "wordpress.com",
    "workers.dev",
    "s3.amazonaws.com",
    /* registries that sell names one label further down */
    "ac.uk",
    "co.il",
    "co.in",
    "co.jp",
    "co.ke",
    "co.kr",
    "co.nz",
    "co.uk",
    "co.za",
    "com.ar",
    "com.au",
    "com.br",
    "com.cn",
    "com.co",
    "com.hk",
    "com.mx",
    "com.my",
    "com.ng",
    "com.pl",
    "com.sg",
    "com.tr",
    "com.tw",
    "com.ua",
    "gov.uk",
    "me.uk",
    "net.au",
    "org.au",
    "org.uk",
};

static bool
has_suffix(struct url_part host, const char *suffix)
{
    size_t len = strlen(suffix);

    return host.len >= len && strncasecmp(host.at + host.len - len, suffix, len) == 0 &&
           (host.len == len || host.at[host.len - len - 1] == '.');
}

const char *
url_shared_suffix(struct url_part host)
{
    const char *star = NULL, *found = NULL;

    for (size_t i = 0; i < host.len; i++)
        if (host.at[i] == '*')
            star = host.at + i;
    for (size_t i = 0; i < sizeof(shared_suffixes) / sizeof(shared_suffixes[0]); i++) {
        const char *suffix = shared_suffixes[i];
        size_t len = strlen(suffix);
        const char *label;

        if (!star || !has_suffix(host, suffix) || (found && strlen(found) > len))
            continue;
        /* The star stands in the label before the suffix: nothing in between is one's own. */
        label = host.at + host.len - len - 1;
        if (label > star && memchr(star, '.', (size_t)(label - star)))
            continue;
        found = suffix;
    }
    return found;
}

/* Pages and files of many on one host: who has one of them has the host's origin. */
static const char *const shared_hosts[] = {
    "s3.amazonaws.com",
    "storage.googleapis.com",
    "storage.cloud.google.com",
    "firebasestorage.googleapis.com",
    "sites.google.com",
    "docs.google.com",
    "script.google.com",
    "raw.githubusercontent.com",
    "gist.githubusercontent.com",
    "github.com",
    "cdn.jsdelivr.net",
    "unpkg.com",
    "codepen.io",
    "cdpn.io",
    "jsfiddle.net",
    "jsbin.com",
    "codesandbox.io",
    "stackblitz.com",
    "replit.com",
};

const char *
url_shared_host(struct url_part host)
{
    for (size_t i = 0; i < sizeof(shared_hosts) / sizeof(shared_hosts[0]); i++)
        if (url_part_is(host, shared_hosts[i]))
            return shared_hosts[i];
    for (size_t i = 0; i < sizeof(shared_suffixes) / sizeof(shared_suffixes[0]); i++)
        if (url_part_is(host, shared_suffixes[i]))
            return shared_suffixes[i];
    /* s3.eu-central-1.amazonaws.com */
    return host.len > 3 && strncasecmp(host.at, "s3", 2) == 0 &&
                   (host.at[2] == '.' || host.at[2] == '-') && has_suffix(host, "amazonaws.com")
               ? "s3"
               : NULL;
}

/* Names of tunnels and previews, which the next who asks may get. */
const char *
url_lent_suffix(struct url_part host)
{
    static const char *const suffixes[] = {
        "ngrok.io",  "ngrok.app",         "ngrok-free.app", "ngrok-free.dev",
        "ngrok.dev", "trycloudflare.com", "loca.lt",        "localhost.run",
        "lhr.life",  "serveo.net",        "tunnelmole.net", "webcontainer.io",
        "csb.app",   "gitpod.io",         "pinggy.link",    "bore.pub"};

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (has_suffix(host, suffixes[i]))
            return suffixes[i];
    return NULL;
}

/* ---- taking apart ---- */

static struct url_part
part(const char *from, const char *to)
{
    return (struct url_part){from, (size_t)(to - from)};
}

bool
url_part_is(struct url_part p, const char *text)
{
    return p.at && strlen(text) == p.len && strncasecmp(p.at, text, p.len) == 0;
}

/* user@host:port */
static void
split_authority(const char *at, const char *end, struct url *url)
{
    const char *host = at, *port = NULL;

    for (const char *p = at; p < end; p++)
        if (*p == '@') {
            url->user = part(at, p);
            host = p + 1;
        }
    for (const char *p = host; p < end; p++)
        if (*p == ':' && (*host != '[' || memchr(host, ']', (size_t)(p - host))) && !port)
            port = p;
    url->host = part(host, port ? port : end);
    if (port)
        url->port = part(port + 1, end);
}

bool
url_split(const char *text, struct url *url)
{
    const char *colon = strchr(text, ':'), *at, *end;

    *url = (struct url){0};
    if (!colon || colon == text || strcspn(text, "/?#") < (size_t)(colon - text))
        return false;
    url->scheme = part(text, colon);
    at = colon + 1;
    if (strncmp(at, "//", 2) == 0) {
        at += 2;
        end = at + strcspn(at, "/?#");
        split_authority(at, end, url);
        at = end;
    }
    end = at + strcspn(at, "?#");
    if (end > at)
        url->path = part(at, end);
    if (*end == '?') {
        at = end + 1;
        end = at + strcspn(at, "#");
        url->query = part(at, end);
    }
    if (*end == '#')
        url->fragment = part(end + 1, end + strlen(end));
    return true;
}

/* ---- hosts ---- */

/* Reads a.b.c.d, each below 256. */
static bool
read_ipv4(struct url_part host, unsigned bytes[4])
{
    size_t at = 0;

    for (int i = 0; i < 4; i++) {
        size_t start = at;

        bytes[i] = 0;
        for (; at < host.len && isdigit((unsigned char)host.at[at]) && at - start < 4; at++)
            bytes[i] = bytes[i] * 10 + (unsigned)(host.at[at] - '0');
        if (at == start || bytes[i] > 255 || (at - start > 1 && host.at[start] == '0'))
            return false;
        if (i < 3 && (at >= host.len || host.at[at++] != '.'))
            return false;
    }
    return at == host.len;
}

bool
url_is_loopback(struct url_part host)
{
    unsigned ip[4];

    return url_part_is(host, "localhost") || has_suffix(host, "localhost") ||
           url_part_is(host, "[::1]") || (read_ipv4(host, ip) && ip[0] == 127);
}

bool
url_is_private(struct url_part host)
{
    unsigned ip[4];

    if (has_suffix(host, "local") || has_suffix(host, "internal") || has_suffix(host, "lan"))
        return true;
    if (host.len > 4 && host.at[0] == '[')
        return strncasecmp(host.at, "[fe80", 5) == 0 || strncasecmp(host.at, "[fc", 3) == 0 ||
               strncasecmp(host.at, "[fd", 3) == 0;
    if (!read_ipv4(host, ip))
        return false;
    return ip[0] == 10 || ip[0] == 0 || (ip[0] == 192 && ip[1] == 168) ||
           (ip[0] == 169 && ip[1] == 254) || (ip[0] == 172 && ip[1] >= 16 && ip[1] <= 31) ||
           (ip[0] == 100 && ip[1] >= 64 && ip[1] <= 127);
}

/* 2130706433, 0x7f.1, 127.1: addresses in spellings that programs read differently. */
static bool
is_odd_number(struct url_part host)
{
    size_t last = host.len;
    unsigned ip[4];

    while (last > 0 && host.at[last - 1] != '.')
        last--;
    return last < host.len && isdigit((unsigned char)host.at[last]) && !read_ipv4(host, ip);
}

const char *
url_host_fault(struct url_part host)
{
    if (host.len == 0)
        return "it names no host";
    if (host.at[0] == '[')
        return host.at[host.len - 1] == ']' ? NULL : "the bracket of its address is not closed";
    for (size_t i = 0; i < host.len; i++) {
        unsigned char c = (unsigned char)host.at[i];

        if (c >= 0x80)
            return "browsers send such a host in its ASCII form, which begins with xn--";
        if (isupper(c))
            return "browsers send the host in lower case";
        if (!isalnum(c) && !strchr("-._*", c))
            return "a host has letters, digits, `-` and dots alone";
        if (c == '.' && (i == 0 || host.at[i - 1] == '.'))
            return "a label of its host is empty";
    }
    if (host.at[host.len - 1] == '.')
        return "a host ends without a dot";
    if (is_odd_number(host))
        return "an address is written as four numbers, such as 203.0.113.7";
    return NULL;
}

const char *
url_port_fault(const struct url *url)
{
    unsigned long port = 0;

    if (!url->port.at)
        return NULL;
    for (size_t i = 0; i < url->port.len; i++) {
        if (!isdigit((unsigned char)url->port.at[i]))
            return "the port is a number";
        port = port > 65535 ? port : port * 10 + (unsigned long)(url->port.at[i] - '0');
    }
    if (port == 0 || port > 65535)
        return "the port is a number from 1 to 65535";
    if ((port == 443 && url_part_is(url->scheme, "https")) ||
        (port == 80 && url_part_is(url->scheme, "http")))
        return "browsers leave the default port out";
    return NULL;
}
