// Runs everything in rounds and writes RESULTS.md.  QUICK=1: a glance of three minutes.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measureCompiler } from './compiler.mjs';
import { results } from './report.mjs';
import { here, openStage } from './stage.mjs';
import { openVariants, quick } from './variants.mjs';

const rounds = Number(process.env.ROUNDS ?? (quick ? 2 : 5));
const seconds = Number(process.env.SECONDS_EACH ?? (quick ? 1 : 2));
const begun = performance.now();

function say(text) {
  const passed = Math.round((performance.now() - begun) / 1000);
  process.stdout.write(`${String(Math.floor(passed / 60)).padStart(3)}:${String(passed % 60).padStart(2, '0')}  ${text}\n`);
}

async function measure(variant, duration) {
  await variant.before?.();
  return variant.go(duration);
}

async function runRounds(variants) {
  say('warming up');
  for (const v of variants) await measure(v, 1);
  for (let round = 1; round <= rounds; round++) {
    let part = '';
    for (const v of variants) {
      if (v.part !== part) say(`round ${round} of ${rounds}: ${(part = v.part)}`);
      (v.results ??= []).push(await measure(v, seconds));
    }
  }
}

async function main() {
  say('starting PostgreSQL, the servers and the peers');
  const stage = await openStage();
  let made;
  try {
    say('comparing answers, reading statements');
    made = await openVariants(stage);
    const left = (made.variants.length * (rounds * (seconds + 0.3) + 1.3)) / 60;
    say(`${made.variants.length} variants, about ${Math.ceil(left)} minutes`);
    await runRounds(made.variants);
    made.postgres = (await stage.db.query('select version()')).rows[0].version;
  } finally {
    await stage.close();
  }
  say('the compiler');
  const others = [await measureCompiler(quick ? { sizes: [10, 100], rounds: 1 } : {})];
  const text = results({ ...made, rounds, seconds, quick, others });
  writeFileSync(join(here, 'RESULTS.md'), text);
  say('written: bench/RESULTS.md');
}

await main();
