// An editor: a real LSP client over the server's standard input and output.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import rpc from 'vscode-jsonrpc/node.js';
import lsp from 'vscode-languageserver-protocol';
import { pgstack } from '../lib/paths.mjs';

export class Editor {
  static async open(folder, { encodings, workspace, root = folder } = {}) {
    const editor = new Editor();
    editor.folder = folder;
    editor.server = spawn(pgstack, ['lsp', '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
    editor.exited = once(editor.server, 'exit');
    editor.connection = rpc.createMessageConnection(new rpc.StreamMessageReader(editor.server.stdout),
      new rpc.StreamMessageWriter(editor.server.stdin));
    editor.findings = new Map();
    editor.waiting = [];
    editor.connection.onNotification(lsp.PublishDiagnosticsNotification.type, ({ uri, diagnostics }) => {
      editor.findings.set(uri, diagnostics);
      for (const wake of editor.waiting.splice(0)) wake();
    });
    editor.connection.onRequest(lsp.RegistrationRequest.type, ({ registrations }) => { editor.registered = registrations; });
    editor.connection.listen();
    editor.about = await editor.connection.sendRequest(lsp.InitializeRequest.type, {
      processId: process.pid, rootUri: root && pathToFileURL(root).href,
      capabilities: { general: { positionEncodings: encodings }, workspace },
    });
    await editor.connection.sendNotification(lsp.InitializedNotification.type, {});
    return editor;
  }

  uri(path) { return pathToFileURL(join(this.folder, path)).href; }

  /** Sends the text of a document; later ones replace it. */
  async show(path, text) {
    this.texts ??= new Map();
    const textDocument = { uri: this.uri(path), languageId: 'pgstack', version: Date.now(), text };
    if (this.texts.has(path))
      await this.connection.sendNotification(lsp.DidChangeTextDocumentNotification.type,
        { textDocument, contentChanges: [{ text }] });
    else await this.connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, { textDocument });
    this.texts.set(path, text);
  }

  change(path, contentChanges) {
    return this.connection.sendNotification(lsp.DidChangeTextDocumentNotification.type,
      { textDocument: { uri: this.uri(path), version: Date.now() }, contentChanges });
  }

  /** Asks at the place marked by | in the text of `at`, a piece of the document's text. */
  ask(method, path, at, more = {}) {
    const text = this.texts.get(path);
    const offset = text.indexOf(at.replace('|', '')) + at.indexOf('|');
    if (offset < at.indexOf('|')) throw new Error(`"${at}" is not in ${path}`);
    const lines = text.slice(0, offset).split('\n');
    const position = { line: lines.length - 1, character: lines.at(-1).length };
    return this.connection.sendRequest(method, { textDocument: { uri: this.uri(path) }, position, ...more });
  }

  request(method, path, more = {}) {
    return this.connection.sendRequest(method, { textDocument: { uri: this.uri(path) }, ...more });
  }

  /** Waits until the findings of a document are as `wanted` says. */
  async until(path, wanted) {
    for (;;) {
      const now = this.findings.get(this.uri(path));
      if (now && wanted(now)) return now;
      let timer;
      const late = new Promise((_, fail) => { timer = setTimeout(() => fail(new Error(
        `findings of ${path}: ${JSON.stringify(this.findings.get(this.uri(path)))}`.slice(0, 2000))), 60_000); });
      await Promise.race([new Promise((wake) => this.waiting.push(wake)), late]);
      clearTimeout(timer);
    }
  }

  async close() {
    await this.connection.sendRequest(lsp.ShutdownRequest.type);
    await this.connection.sendNotification(lsp.ExitNotification.type);
    const [code] = await this.exited;
    this.connection.dispose();
    return code;
  }
}

/** The text after edits of one document, made from the last to the first. */
export function edited(text, edits) {
  const lines = text.split('\n');
  const offset = ({ line, character }) => lines.slice(0, line).reduce((n, each) => n + each.length + 1, 0) + character;
  return [...edits].sort((a, b) => offset(b.range.start) - offset(a.range.start))
    .reduce((now, { range, newText }) => now.slice(0, offset(range.start)) + newText + now.slice(offset(range.end)), text);
}
