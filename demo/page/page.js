// SPDX-License-Identifier: MIT
// The helpdesk's board: two live queries shown, and writes through the API.  The token is in the
// address, behind `#`, which a browser sends to nobody.

import { createLive } from './live/live.js';

const moves = { open: ['pending', 'solved'], pending: ['open', 'solved'], solved: ['open'] };
const token = decodeURIComponent(location.hash.slice(1));
const find = (selector, within = document) => within.querySelector(selector);
const say = (text) => { find('#message').textContent = text; };

window.addEventListener('hashchange', () => location.reload());

async function ask(method, path, body) {
  const response = await fetch(`/rest/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', prefer: 'return=representation' },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

/** Writes, and says so where that fails; what the write does is seen when it comes back live. */
async function write(...request) {
  say('');
  try {
    if ((await ask(...request)).length === 0) say('Only who wrote a ticket may move it.');
  } catch (error) {
    say(`Not saved: ${error.message}`);
  }
}

const move = (id, state) => write('PATCH', `ticket?id=eq.${id}`, { state });

// ---- the board ----

const held = { queue: [], mine: [], changed: new Set() };

function button(text, act) {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = text;
  made.addEventListener('click', act);
  return made;
}

function card(ticket, isMine) {
  const item = document.createElement('li');
  const title = document.createElement('span');
  title.textContent = ticket.title;
  item.dataset.id = ticket.id;
  item.dataset.priority = ticket.priority ?? '';
  item.classList.toggle('changed', held.changed.has(ticket.id));
  item.append(title);
  if (!isMine) return item;
  const buttons = document.createElement('div');
  buttons.append(...moves[ticket.state].map((state) => button(state, () => move(ticket.id, state))));
  item.append(buttons);
  item.classList.add('mine');
  item.draggable = true;
  item.addEventListener('dragstart', (event) => event.dataTransfer.setData('text/plain', ticket.id));
  return item;
}

function show() {
  const mine = new Set(held.mine.map((ticket) => ticket.id));
  const solved = held.mine.filter((ticket) => ticket.state === 'solved').sort((a, b) => b.id - a.id);
  for (const column of document.querySelectorAll('#columns section')) {
    const { state } = column.dataset;
    const tickets = state === 'solved' ? solved : held.queue.filter((ticket) => ticket.state === state);
    find('ul', column).replaceChildren(...tickets.map((ticket) => card(ticket, mine.has(ticket.id))));
  }
}

/** Takes a live result in, and marks what has changed. */
const take = (name) => ({
  onChange(rows, change) {
    held[name] = rows;
    held.changed = new Set([...(change.inserted ?? []), ...(change.updated ?? [])].map((row) => row.id));
    show();
  },
  onError(error) {
    if (!error.willRetry) say(error.message);
  },
});

function acceptDrops(column) {
  const mark = (isTarget) => column.classList.toggle('target', isTarget);
  column.addEventListener('dragover', (event) => { event.preventDefault(); mark(true); });
  column.addEventListener('dragleave', () => mark(false));
  column.addEventListener('drop', (event) => {
    event.preventDefault();
    mark(false);
    move(event.dataTransfer.getData('text/plain'), column.dataset.state);
  });
}

// ---- the connection ----

const words = {
  idle: () => 'not connected',
  connecting: () => 'connecting',
  open: () => 'live',
  waiting: () => `offline since ${new Date().toLocaleTimeString()}, trying again`,
  closed: () => 'closed',
};

function showState(state, error) {
  const shown = find('#connection');
  if (state === 'connecting' && shown.dataset.state === 'waiting') return; // it tries: no news
  if (state !== shown.dataset.state) shown.textContent = words[state]();
  shown.dataset.state = state;
  shown.title = error?.message ?? '';
}

async function start() {
  const { sub, email } = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
  const [team] = await ask('GET', 'team?select=id,name&limit=1');
  const live = createLive(location.origin, { getToken: () => token, onState: showState });
  find('#who').textContent = `${email ?? sub}, ${team?.name ?? 'in no team'}`;
  if (team) live.live('team_queue', { team: team.id }, take('queue'));
  live.live('my_tickets', { author_id: sub }, take('mine'));
  document.querySelectorAll('#columns section').forEach(acceptDrops);
  find('#new-ticket').addEventListener('submit', async (event) => {
    event.preventDefault();
    const { title } = event.target.elements;
    await write('POST', 'ticket', { team_id: team?.id, title: title.value });
    if (find('#message').textContent === '') title.value = '';
  });
}

if (token === '') {
  find('#sign-in').hidden = false;
  find('#sign-in').addEventListener('submit', (event) => {
    event.preventDefault();
    location.hash = event.target.elements.token.value.trim();
  });
} else {
  find('#board').hidden = false;
  start().catch((error) => say(`${error.message}: load the page again`));
}
