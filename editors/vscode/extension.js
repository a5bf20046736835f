// SPDX-License-Identifier: MIT
// Starts `pgstack lsp` for the folder that is open.
const { workspace } = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');

let client;

exports.activate = (context) => {
  const command = workspace.getConfiguration('pgstack').get('path');
  client = new LanguageClient('pgstack', 'pgstack', { command, args: ['lsp'] }, {
    documentSelector: [{ scheme: 'file', language: 'pgstack' }],
    synchronize: { fileEvents: workspace.createFileSystemWatcher('**/*.schema') },
  });
  context.subscriptions.push(client);
  return client.start();
};

exports.deactivate = () => client?.stop();
