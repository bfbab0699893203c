/**
 * French sets a space before : ; ? » and after «, at which a line must not break. Messages are written with ordinary spaces,
 * which people can see and type; here they become no-break ones. `!` is not in our words.
 */
const noBreakSpace = '\u00a0';

function setText(text: string): string {
  return text.replace(/ (?=[:;?»%](?:\s|$|[.,)]))/g, noBreakSpace).replace(/« /g, `«${noBreakSpace}`);
}

/** Deep: every string, and every string that a function of the messages returns. */
export function typeset<T>(words: T): T;
export function typeset(words: unknown): unknown {
  if (typeof words === 'string') return setText(words);
  if (typeof words === 'function') {
    const message = words as (...given: unknown[]) => unknown;
    return (...given: unknown[]) => typeset(message(...given));
  }
  if (Array.isArray(words)) return words.map((word: unknown) => typeset(word));
  if (typeof words === 'object' && words !== null)
    return Object.fromEntries(Object.entries(words).map(([key, word]: [string, unknown]) => [key, typeset(word)]));
  return words;
}
