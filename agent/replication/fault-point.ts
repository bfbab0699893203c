/**
 * A place where a test halts this process, so that it can be killed, or its server lose its power, exactly there: `HOLDFAST_HALT_AT=LANE,OPERATION,N`
 * is before the Nth time that the lane runs this operation. Every operation of every lane is such a place. Without the variable there is none.
 */
import type { Operation } from './operations.ts';

/** For the lane of this name; null: none is wanted. */
export function faultPoint(
  lane: string,
  wanted = process.env['HOLDFAST_HALT_AT'],
): ((operation: Operation) => void) | null {
  const [ofLane, name, times] = wanted?.split(',') ?? [];
  if (ofLane !== lane) return null;
  let left = Number(times);
  return (operation) => {
    if (operation.name !== name) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGSTOP');
  };
}
