/** Which Linux this is. */

/** `release` as uname(2) gives it: 6.1.0-18-amd64, 4.18.0-553.el8_10.x86_64. One that cannot be read is older than everything. */
export function kernelAtLeast(release: string, major: number, minor: number): boolean {
  const [, theirMajor, theirMinor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  if (theirMajor === undefined || theirMinor === undefined) return false;
  return Number(theirMajor) > major || (Number(theirMajor) === major && Number(theirMinor) >= minor);
}
