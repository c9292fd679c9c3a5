// What fits the letters that were written: in order, best first. A name that begins with them comes before one that
// has them inside, and that before one that has them scattered; shorter before longer.

export function rank<T>(asked: string, all: T[], textOf: (one: T) => string): T[] {
  const wanted = asked.trim().toLowerCase();
  if (!wanted) return all;
  const scored: { one: T; score: number }[] = [];
  for (const one of all) {
    const score = scoreOf(wanted, textOf(one).toLowerCase());
    if (score !== undefined) scored.push({ one, score });
  }
  return scored.sort((a, b) => a.score - b.score).map(({ one }) => one);
}

function scoreOf(wanted: string, text: string): number | undefined {
  if (text.startsWith(wanted)) return text.length;
  const inside = text.indexOf(wanted);
  if (inside >= 0) return (/[^a-z0-9]/.test(text[inside - 1]!) ? 1000 : 2000) + text.length;
  let at = -1;
  for (const letter of wanted.replaceAll(" ", "")) {
    at = text.indexOf(letter, at + 1);
    if (at < 0) return undefined;
  }
  return 3000 + at + text.length;
}
