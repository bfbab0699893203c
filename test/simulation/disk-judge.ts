/** What follows from a disk that fails under the application: it does not stay there, and what was left is let alone until a person says that it is mended. */
import type { EventDraft } from '../../agent/contract/index.ts';
import { peerIsAlive, type MirrorAction } from '../../agent/core/index.ts';
import type { SimulatedNode } from './node.ts';
import type { World } from './world.ts';

/** Both know of each other and of the disk well before. */
const leaveMs = 3000;

export class DiskJudge {
  private readonly world: World;
  private readonly nodes: readonly [SimulatedNode, SimulatedNode];
  private readonly left = new Set<string>();
  private staysSinceMs: number | null = null;

  constructor(world: World, nodes: readonly [SimulatedNode, SimulatedNode]) {
    this.world = world;
    this.nodes = nodes;
  }

  told({ name }: SimulatedNode, { code }: EventDraft): void {
    if (code === 'disk-failover') this.left.add(name);
    // A person has seen to it; or it went on alone before it could leave, and has what nobody else has.
    if (/^ordered-(start|restart|promote)$|^alone$/.test(code)) this.left.delete(name);
  }

  breach({ name, record }: SimulatedNode, action: MirrorAction): string | null {
    if (action.type !== 'run' || !this.left.has(name)) return null;
    // Another disk, or another installation, remembers nothing of it.
    if (record.doubted === null) return null;
    if (action.steps.some((step) => step.do === 'mount'))
      return `invariant 2: ${name} starts the application on the copy that its disk failed under`;
    return action.steps.some((step) => step.do === 'serve-secondary')
      ? `calm: ${name} is made equal on a disk that has failed, and nobody said that it was mended`
      : null;
  }

  /** Whoever runs the application on a disk that failed, although the other one could have it. */
  look(): string | null {
    const stays = this.nodes.find((node) => this.shouldLeave(node));
    if (stays === undefined) this.staysSinceMs = null;
    else this.staysSinceMs ??= this.world.nowMs;
    return this.staysSinceMs !== null && this.world.nowMs - this.staysSinceMs > leaveMs
      ? `liveness: ${String(stays?.name)} keeps the application on a disk that failed, although the other one is ready`
      : null;
  }

  private shouldLeave(node: SimulatedNode): boolean {
    const [first, second] = this.nodes;
    const other = node === first ? second : first;
    const { mirror } = node;
    if (mirror?.phase.name !== 'active' || node.frozen || other.frozen || mirror.record.maintenance) return false;
    const isReady = other.stand().state === 'secondary' && other.stand().data === 'up-to-date';
    const volumes = node.replica.statuses();
    return (
      isReady &&
      other.mirror?.record.wanted === 'started' &&
      mirror.record.wanted === 'started' &&
      peerIsAlive(mirror, node.localNow()) &&
      mirror.beat?.unable === null &&
      mirror.goingAlone === null &&
      volumes.some(({ fault }) => fault?.code === 'disk-failed') &&
      volumes.every(
        ({ mode, record }) => mode === 'in-sync' && record?.generation?.id === volumes[0]?.record?.generation?.id,
      )
    );
  }
}
