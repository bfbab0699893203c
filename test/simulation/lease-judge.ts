/**
 * The arithmetic of leases by true time, which nobody in the cluster can see: whoever holds a lease has his own vote, and some other voter's grant that
 * is not over before the lease is.
 */
import { holderOf, type VoterState } from '../../agent/core/index.ts';
import type { SimulatedNode } from './node.ts';
import type { SimulatedWitness } from './witness.ts';
import type { World } from './world.ts';

/** Of rounding. */
const toleranceMs = 0.01;

/** What is wrong with a lease that runs until `deadlineMs` by the node's own clock; null: nothing. */
export function leaseBreach(
  world: World,
  node: SimulatedNode,
  peer: SimulatedNode,
  witness: SimulatedWitness,
  deadlineMs: number,
): string | null {
  const own = node.mirror?.voter;
  if (own !== undefined && holderOf(own, node.localNow()) === peer.name)
    return `lease: ${node.name} takes one while its own vote belongs to ${peer.name}`;
  const endMs = world.nowMs + (deadlineMs - node.localNow()) / node.clockRate;
  const atWitness = Math.max(
    grantEndMs(witness.voter, node.name, world.nowMs, witness.now(), witness.clockRate),
    world.nowMs + (witness.voter.quietUntilMs - witness.now()) / witness.clockRate,
  );
  const voter = peer.mirror?.voter ?? peer.lastVoter;
  const atPeer =
    voter === null ? -Infinity : grantEndMs(voter, node.name, world.nowMs, peer.localNow(), peer.clockRate);
  if (Math.max(atWitness, atPeer) >= endMs - toleranceMs) return null;
  return `lease: that of ${node.name} runs ${(endMs - Math.max(atWitness, atPeer)).toFixed(1)} ms longer than any voter's grant`;
}

function grantEndMs({ grant }: VoterState, holder: string, nowMs: number, clockMs: number, rate: number): number {
  return grant?.holder === holder ? nowMs + (grant.untilMs - clockMs) / rate : -Infinity;
}
