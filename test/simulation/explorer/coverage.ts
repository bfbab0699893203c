/** Names for what a mirror machine is doing, finer than its phase: the unit in which coverage is counted. */
import type { MirrorState } from '../../../agent/core/index.ts';

export function stateName(mirror: MirrorState | null): string {
  if (mirror === null) return 'down';
  if (mirror.resuming) return 'resuming';
  const { phase, seek } = mirror;
  const then = 'then' in phase ? `, then ${phase.then}` : '';
  const wish = seek === null ? '' : ` + ${seek.purpose}`;
  return `${phase.name}${then}${wish}`;
}
