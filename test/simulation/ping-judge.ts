/** A ping witness only takes away: who can reach neither it nor the other server keeps no right to run and begins nothing. */
import type { MirrorAction } from '../../agent/core/index.ts';
import { networks } from './faults.ts';
import type { SimulatedNode } from './node.ts';
import type { SimulatedWitness } from './witness.ts';
import type { World } from './world.ts';

export class PingJudge {
  private readonly world: World;
  private readonly nodes: readonly [SimulatedNode, SimulatedNode];
  private readonly router: SimulatedWitness;
  /** By the clock of the node: when a way to somebody was open last. */
  private readonly openMs = new Map<SimulatedNode, number>();

  constructor(world: World, nodes: readonly [SimulatedNode, SimulatedNode], router: SimulatedWitness) {
    this.world = world;
    this.nodes = nodes;
    this.router = router;
  }

  /** After every step of the world: what leaves in a step leaves by ways that are open then. */
  look(): void {
    for (const node of this.nodes) if (this.open(node)) this.openMs.set(node, node.localNow());
  }

  private open({ name, identity }: SimulatedNode): boolean {
    const { world } = this;
    if (this.router.up && world.passes(name, 'w', 'lan') && world.passes('w', name, 'lan')) return true;
    const { peer } = identity;
    const peerUp = this.nodes.some((one) => one.name === peer && one.up);
    // An answer may take the way back after the way there was closed: who froze in between answers late.
    return peerUp && networks.some((network) => world.passes(name, peer, network) || world.passes(peer, name, network));
  }

  breach(node: SimulatedNode, action: MirrorAction): string | null {
    const { name, record, identity } = node;
    const openMs = this.open(node) ? node.localNow() : (this.openMs.get(node) ?? -Infinity);
    if (record.unreachedByOrder) return null;
    const { leaseMs } = identity.timing;
    if (action.type === 'extend-lease' && action.deadlineMs > openMs + leaseMs + 1)
      return `lease: ${name} keeps the right to run although it can reach neither ${identity.peer} nor the router`;
    if (action.type === 'go-alone' && node.localNow() > openMs + leaseMs)
      return `lease: ${name} goes on alone although it can reach neither ${identity.peer} nor the router`;
    return null;
  }
}
