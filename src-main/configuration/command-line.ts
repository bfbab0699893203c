/** One line of a program and its arguments, taken apart without a shell. Pure. */

/** What a shell would have understood, and we do not: better refused than passed on as a text. */
const shellCharacters = /[|&;<>()$`*?[\]{}~#!]/;

/** Null: a quote is not closed, or something outside of quotes is meant for a shell. */
export function splitCommand(line: string): readonly string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (character === ' ') {
      if (word !== null) words.push(word);
      word = null;
    } else if (character === "'" || character === '"') {
      const end = line.indexOf(character, at + 1);
      if (end < 0) return null;
      word = (word ?? '') + line.slice(at + 1, end);
      at = end;
    } else {
      if (shellCharacters.test(character) || character === '\\') return null;
      word = (word ?? '') + character;
    }
  }
  if (word !== null) words.push(word);
  return words.length === 0 ? null : words;
}
