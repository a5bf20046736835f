// A reporter for node:test: a line a case, failures in full at once, the count at the end.
import { writeFileSync } from 'node:fs';

function indent(text) {
  return String(text).split('\n').map((line) => `      ${line}`).join('\n');
}

function why(error) {
  const cause = error?.cause ?? error;
  return typeof cause === 'string' ? cause : cause?.stack ?? cause?.message ?? String(cause);
}

export default async function* report(events) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  const begun = new Map(); // a file that takes too long is ended as a whole: what it was at is said
  for await (const { type, data } of events) {
    if (type === 'test:dequeue' && data.file) begun.set(data.file, data.name);
    if (type === 'test:pass' || type === 'test:fail') {
      if (data.details?.type === 'suite') continue;
      const name = `${'  '.repeat(data.nesting)}${data.name}`;
      const skipped = data.skip !== undefined && data.skip !== false;
      if (type === 'test:fail') {
        // a test fails with its parts: only the parts count
        if (data.details.error?.failureType === 'subtestsFailed') continue;
        count.failed++;
        const at = data.details.error?.failureType === 'testTimeoutFailure' ? `, at: ${begun.get(data.file)}` : '';
        yield `  FAIL ${name}${at}\n${indent(why(data.details.error))}\n${indent(`${data.file ?? ''}:${data.line ?? ''}`)}\n`;
      } else if (skipped) {
        count.skipped++;
        yield `  skip ${name} (${data.skip})\n`;
      } else {
        count.passed++;
        if (process.env.VERBOSE) yield `  ok   ${name} (${Math.round(data.details.duration_ms)} ms)\n`;
      }
    } else if (type === 'test:diagnostic' && /^> /.test(data.message)) {
      yield `  ${data.message.slice(2)}\n`;
    } else if (type === 'test:stderr' || (type === 'test:stdout' && process.env.VERBOSE)) {
      yield data.message;
    }
  }
  yield `${count.passed} passed, ${count.failed} failed${count.skipped ? `, ${count.skipped} skipped` : ''}\n`;
  if (process.env.PGSTACK_TEST_COUNT) writeFileSync(process.env.PGSTACK_TEST_COUNT, JSON.stringify(count));
}
