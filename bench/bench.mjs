// Runs everything in rounds and writes RESULTS.md; with names of parts, those alone, to the terminal.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measureCompiler } from './compiler.mjs';
import { measureReactive } from './extension.mjs';
import { measureLanes } from './lanes.mjs';
import { measureLive, measureOutbox } from './live.mjs';
import { measureMemory } from './memory.mjs';
import { results } from './report.mjs';
import { measureSoak } from './soak.mjs';
import { here, openStage } from './stage.mjs';
import { measureStart } from './start.mjs';
import { openVariants, quick } from './variants.mjs';

const rounds = Number(process.env.ROUNDS ?? (quick ? 2 : 5));
const seconds = Number(process.env.SECONDS_EACH ?? (quick ? 1 : 2));
const soak_seconds = Number(process.env.SECONDS ?? (quick ? 20 : 600));
const begun = performance.now();

function say(text) {
  const passed = Math.round((performance.now() - begun) / 1000);
  process.stdout.write(`${String(Math.floor(passed / 60)).padStart(3)}:${String(passed % 60).padStart(2, '0')}  ${text}\n`);
}

async function measure(variant, duration) {
  await variant.before?.();
  return variant.go(duration);
}

/** Each variant once, for `duration`; `keep` has the results. */
async function runOnce(variants, what, duration, keep) {
  let part = '';
  for (const v of variants) {
    if (v.part !== part) say(`${what}: ${(part = v.part)}`);
    keep(v, await measure(v, duration));
  }
}

async function runRounds(stage, variants) {
  await runOnce(variants, 'warming up', 1, () => {});
  for (let round = 1; round <= rounds; round++) {
    stage.ours.forget_log();
    stage.tls.forget_log();
    await runOnce(variants, `round ${round} of ${rounds}`, seconds, (v, result) => (v.results ??= []).push(result));
  }
}

const parts = {
  start: (stage) => measureStart(stage, quick ? 3 : 9),
  lanes: () => measureLanes({ rounds, seconds }),
  memory: (stage) => measureMemory(stage, quick ? { connections: 1000 } : {}),
  soak: (stage) => measureSoak(stage, soak_seconds, say),
  live: () => measureLive(quick, say),
  outbox: () => measureOutbox(quick, say),
  reactive: () => measureReactive(quick),
  compiler: () => measureCompiler(quick ? { sizes: [10, 100], rounds: 1 } : {}),
};

/** Parts that bring all they need. */
const alone = ['live', 'outbox', 'reactive', 'compiler'];

/** The sections of these parts.  One that fails says so, and the others are measured all the same. */
async function measureParts(stage, names) {
  const sections = [];
  for (const name of names) {
    say(name);
    try {
      sections.push(await parts[name](stage));
    } catch (error) {
      process.exitCode = 1;
      say(`${name} failed: ${error.stack}`);
      sections.push(`## ${name}\n\nNot measured: ${error.message.split('\n')[0]}`);
    }
  }
  return sections;
}

async function measureAll(stage) {
  say('comparing answers, reading statements');
  const made = await openVariants(stage);
  const left = (made.variants.length * (rounds * (seconds + 0.5) + 1.5) + soak_seconds) / 60 + (quick ? 5 : 30); // the other parts
  say(`${made.variants.length} variants, about ${Math.ceil(left)} minutes in all`);
  await runRounds(stage, made.variants);
  const others = await measureParts(stage, Object.keys(parts));
  const postgres = await stage.db.value('select version()');
  writeFileSync(join(here, 'RESULTS.md'), results({ ...made, others, postgres, rounds, seconds, quick }));
  say('written: bench/RESULTS.md');
}

async function main(names) {
  const stranger = names.find((name) => !parts[name]);
  if (stranger) throw new Error(`no part "${stranger}"; there are ${Object.keys(parts).join(', ')}`);
  if (names.length > 0 && names.every((name) => alone.includes(name))) {
    process.stdout.write(`${(await measureParts(null, names)).join('\n\n')}\n`);
    return;
  }
  say('starting PostgreSQL, the servers and the peers');
  const stage = await openStage();
  try {
    if (names.length === 0) await measureAll(stage);
    else process.stdout.write(`${(await measureParts(stage, names)).join('\n\n')}\n`);
  } finally {
    await stage.close();
  }
}

await main(process.argv.slice(2));
