/** Which names a few typed letters mean. Pure. */

/** Without accents and case: `temoin` finds « témoin ». */
function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

const startsWordPoints = 8;
const followsPoints = 4;
const anywherePoints = 1;
const maxGapPenalty = 3;

/** Higher is better; null: not all letters are there, in this order. */
export function matchScore(typed: string, name: string): number | null {
  const wanted = plain(typed).replace(/\s+/g, '');
  const text = plain(name);
  let score = 0;
  let from = 0;
  let before = -2;
  for (const letter of wanted) {
    const next = followingLetter(text, letter, from, before);
    if (next < 0) return null;
    const startsWord = next === 0 || !/[\p{L}\p{N}]/u.test(text.charAt(next - 1));
    score += startsWord ? startsWordPoints : next === before + 1 ? followsPoints : anywherePoints;
    score -= Math.min(maxGapPenalty, next - from);
    before = next;
    from = next + 1;
  }
  // Of two names that match alike the shorter one is meant.
  return score - text.length / 100;
}

/** The next letter of a word that is being followed, else the start of a later word, else anywhere. */
function followingLetter(text: string, letter: string, from: number, before: number): number {
  if (text.charAt(from) === letter && before === from - 1) return from;
  for (let at = text.indexOf(letter, from); at >= 0; at = text.indexOf(letter, at + 1))
    if (at === 0 || !/[\p{L}\p{N}]/u.test(text.charAt(at - 1))) return at;
  return text.indexOf(letter, from);
}

export interface Matchable {
  readonly title: string;
  /** Other words that a person may think of. */
  readonly keywords?: string;
}

/** Best first; with nothing typed as they are. */
export function matching<T extends Matchable>(typed: string, all: readonly T[]): readonly T[] {
  if (typed.trim() === '') return all;
  return all
    .map((one) => {
      const inTitle = matchScore(typed, one.title);
      const inKeywords = one.keywords === undefined ? null : matchScore(typed, one.keywords);
      // What is read counts more than what is only meant.
      return { one, score: Math.max(inTitle ?? -Infinity, (inKeywords ?? -Infinity) - startsWordPoints) };
    })
    .filter(({ score }) => score > -Infinity)
    .sort((a, b) => b.score - a.score)
    .map(({ one }) => one);
}
