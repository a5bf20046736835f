/* SPDX-License-Identifier: MIT */
/*
 * Messages in, answers out, one at a time.  Findings are sent when nothing is waiting to be read:
 * who types fast gets those of the last text alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "lsp/lsp.h"
#include "lsp/parts.h"

enum {
    INVALID_REQUEST = -32600,
    METHOD_NOT_FOUND = -32601,
    REQUEST_FAILED = -32803,
};

static struct {
    bool open, stopping, changed;
    bool can_watch; /* the client tells of files if it is asked to */
} state;

/* ---- answers ---- */

static void
put_id(struct str *out, yajl_val id)
{
    json_key(out, "id");
    if (YAJL_IS_STRING(id))
        json_string(out, YAJL_GET_STRING(id));
    else if (YAJL_IS_NUMBER(id))
        str_puts(out, YAJL_GET_NUMBER(id));
    else
        str_puts(out, "null");
}

static void
answer(yajl_val id, const struct str *result)
{
    struct str out = {0};

    str_puts(&out, "{\"jsonrpc\":\"2.0\"");
    put_id(&out, id);
    json_key(&out, "result");
    str_puts(&out, result->n ? result->at : "null");
    str_putc(&out, '}');
    wire_write(&out);
}

static void
answer_error(yajl_val id, int code, const char *message)
{
    struct str out = {0};

    str_puts(&out, "{\"jsonrpc\":\"2.0\"");
    put_id(&out, id);
    str_printf(&out, ",\"error\":{\"code\":%d", code);
    json_key_string(&out, "message", message);
    str_puts(&out, "}}");
    wire_write(&out);
}

static void
initialize(struct str *out, yajl_val params)
{
    client_open(params);
    state.open = true;
    state.can_watch = YAJL_IS_TRUE(
        wire_get(params, "capabilities.workspace.didChangeWatchedFiles.dynamicRegistration"));
    str_puts(out, "{\"capabilities\":{");
    json_key_string(out, "positionEncoding", client_encoding());
    str_puts(out, ",\"textDocumentSync\":{\"openClose\":true,\"change\":2,\"save\":true}"
                  ",\"hoverProvider\":true,\"definitionProvider\":true,\"referencesProvider\":true"
                  ",\"renameProvider\":{\"prepareProvider\":true}"
                  ",\"completionProvider\":{\"triggerCharacters\":[\".\"]}"
                  ",\"codeActionProvider\":{\"codeActionKinds\":[\"quickfix\"]}"
                  ",\"documentSymbolProvider\":true,\"documentFormattingProvider\":true}"
                  ",\"serverInfo\":{\"name\":\"pgstack\",\"version\":\"" PGSTACK_VERSION "\"}}");
}

struct request {
    const char *method;
    void (*answer)(struct str *out, yajl_val params);
};

static const struct request requests[] = {
    {"initialize", initialize},
    {"textDocument/hover", answer_hover},
    {"textDocument/definition", answer_definition},
    {"textDocument/references", answer_references},
    {"textDocument/prepareRename", answer_prepare_rename},
    {"textDocument/completion", answer_completion},
    {"textDocument/codeAction", answer_actions},
    {"textDocument/documentSymbol", answer_symbols},
    {"textDocument/formatting", answer_formatting},
};

static void
take_request(const char *method, yajl_val id, yajl_val params)
{
    struct str result = {0};
    const char *refused;

    if (!state.open && strcmp(method, "initialize") != 0) {
        answer_error(id, -32002, "not initialized");
        return;
    }
    if (state.stopping) {
        answer_error(id, INVALID_REQUEST, "the server is shutting down");
        return;
    }
    if (strcmp(method, "shutdown") == 0) {
        state.stopping = true;
        answer(id, &result);
        return;
    }
    if (strcmp(method, "textDocument/rename") == 0) {
        refused = answer_rename(&result, params);
        if (refused)
            answer_error(id, REQUEST_FAILED, refused);
        else
            answer(id, &result);
        return;
    }
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        if (strcmp(requests[i].method, method) == 0) {
            requests[i].answer(&result, params);
            answer(id, &result);
            return;
        }
    answer_error(id, METHOD_NOT_FOUND, method);
}

/* ---- notifications ---- */

/* Its answer is none of ours: a message without a method. */
static void
watch(void)
{
    static const char request[] =
        "{\"jsonrpc\":\"2.0\",\"id\":\"watch\",\"method\":\"client/registerCapability\",\"params\":"
        "{\"registrations\":[{\"id\":\"watch\",\"method\":\"workspace/didChangeWatchedFiles\","
        "\"registerOptions\":{\"watchers\":[{\"globPattern\":\"**/*.schema\"}]}}]}}";
    struct str out = {0};

    str_puts(&out, request);
    wire_write(&out);
}

static void
take_notification(const char *method, yajl_val params)
{
    const char *uri = wire_text(params, "textDocument.uri");
    const char *text = wire_text(params, "textDocument.text");

    if (strcmp(method, "initialized") == 0) {
        if (state.can_watch)
            watch();
        project_get(); /* what is on disk, before texts hide it */
        state.changed = true;
    } else if (strcmp(method, "workspace/didChangeWatchedFiles") == 0 ||
               strcmp(method, "textDocument/didSave") == 0) {
        project_changed();
        state.changed = true;
    } else if (uri && strncmp(method, "textDocument/did", 16) == 0) {
        if (strcmp(method, "textDocument/didOpen") == 0 && text)
            documents_open(uri, text);
        else if (strcmp(method, "textDocument/didChange") == 0)
            documents_change(uri, wire_get(params, "contentChanges"));
        else if (strcmp(method, "textDocument/didClose") == 0)
            documents_close(uri);
        state.changed = true;
    }
}

static void
take(yajl_val message)
{
    const char *method = wire_text(message, "method");
    yajl_val id = wire_get(message, "id"), params = wire_get(message, "params");

    if (method && id)
        take_request(method, id, params);
    else if (method && state.open)
        take_notification(method, params);
}

/* What is asked next is about the text as the findings show it. */
static void
publish_changes(void)
{
    if (!state.changed || state.stopping)
        return;
    findings_publish();
    state.changed = false;
}

int
lsp_run(void)
{
    char *text;

    while ((text = wire_read()) != NULL) {
        char why[128];
        yajl_val message = yajl_tree_parse(text, why, sizeof(why));
        const char *method = wire_text(message, "method");
        bool last = method && strcmp(method, "exit") == 0;

        free(text);
        if (last) {
            yajl_tree_free(message);
            break;
        }
        project_trim();
        if (method && wire_get(message, "id"))
            publish_changes();
        take(message);
        yajl_tree_free(message);
        if (!wire_has_more())
            publish_changes();
    }
    return state.stopping ? 0 : 1;
}
