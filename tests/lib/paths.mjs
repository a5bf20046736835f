// Where things are.  BUILD names another build folder (`make san` uses build/san).
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const build = resolve(root, process.env.BUILD ?? 'build');
export const pgstack = join(build, 'pgstack');
export const scratch = join(build, 'test');
