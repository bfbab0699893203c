/** Milliseconds of the machine's monotonic clock: the same in every process, so that instants can be compared. */
export function nowMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
