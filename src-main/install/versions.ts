/** Versions as programs print them. Pure. */

function numbers(text: string): number[] {
  return (/\d+(\.\d+)*/.exec(text)?.[0] ?? '0').split('.').map(Number);
}

/** < 0: a is older. Compares the first number groups only: '5.14.0-362.el9' is 5.14.0. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** '5.14.0-362.el9' ≥ '4.18' */
export function versionAtLeast(version: string, least: string): boolean {
  return compareVersions(version, least) >= 0;
}
