// Random choices that a seed repeats (mulberry32).
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  const pick = (list) => list[below(list.length)];
  return {
    next,
    below,
    pick,
    between: (low, high) => low + below(high - low + 1),
    chance: (p) => next() < p,
    /** Some of a list, in its order; at least `least`. */
    some(list, least = 0) {
      const wanted = new Set();
      const n = Math.max(least, below(list.length + 1));
      while (wanted.size < Math.min(n, list.length)) wanted.add(pick(list));
      return list.filter((item) => wanted.has(item));
    },
  };
}
