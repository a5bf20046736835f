// kill -9 under write load, of the server and of PostgreSQL in turn: what was acknowledged is there,
// once, and what was refused is not.  20 rounds; LONG=1: 200; ROUNDS= as many.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials, startServer } from '../lib/app.mjs';
import { request } from '../lib/http.mjs';
import { family, hasEnded, signalAll, sleep, until } from '../lib/process.mjs';
import { checkWrites, openFaulty } from './faulty.mjs';

const rounds = Number(process.env.ROUNDS ?? (process.env.LONG ? 200 : 20));
const writers = 8;

/** The server, from its supervisor down. */
const processes = (app) => {
  const own = family(app.server.supervisor);
  return [...new Set([...own, ...own.flatMap(family)])];
};

async function killServer(app) {
  signalAll([app.server.supervisor], 'SIGSTOP'); // it starts no more of them
  const pids = processes(app);
  signalAll(pids, 'SIGKILL');
  await app.server.ended;
  await until('its processes to end', () => pids.every(hasEnded));
  const killed = app.server;
  app.server = await startServer(app.program, app.env);
  killed.forget();
}

async function killPostgres(app) {
  await app.cluster.signal('SIGKILL');
  await app.cluster.up();
  await app.meetAgain();
}

test(`${rounds} rounds of kill -9`, async (t) => {
  const app = await openFaulty();
  const written = [];
  let running = true;
  let next = 0;
  const write = async () => {
    const mark = `mark of round ${next++}`;
    const answer = await request(app.port, 'POST', '/rest/v1/diary', { headers: credentials('ada'), body: { text: mark } })
      .catch((error) => ({ status: 0, text: `${error.message}: it was done, or not` }));
    written.push({ mark, status: answer.status, text: answer.text });
    if (answer.status !== 201) await sleep(20);
  };
  try {
    const load = Array.from({ length: writers }, async () => { while (running) await write(); });
    for (let i = 0; i < rounds; i++) {
      await sleep(50 + ((i * 37) % 150));
      await (i % 2 === 0 ? killServer(app) : killPostgres(app));
    }
    await sleep(300);
    running = false;
    await Promise.all(load);
    const acknowledged = written.filter((w) => w.status === 201).length;
    t.diagnostic(`> ${rounds} rounds: ${written.length} writes, ${acknowledged} acknowledged`);
    assert.ok(acknowledged > rounds, 'there was load');
    await checkWrites(app, written);
  } catch (error) {
    t.diagnostic(`> ${error.message.slice(0, 600)}`);
    throw error;
  } finally {
    running = false;
    await app.close();
  }
});
