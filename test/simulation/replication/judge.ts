/** What must hold in this world, whatever happens: broken promises are errors. */
import type { FromPrimary } from '../../../agent/replication/lane-messages.ts';
import { logBytes } from './application.ts';
import type { SimMachine } from './machine.ts';
import type { World } from './world.ts';

export class Judge {
  readonly #world: World;
  #judgedSession: unknown = null;

  constructor(world: World) {
    this.#world = world;
  }

  /** Invariant 2: an acknowledged sync is on both disks, or on this one, which had recorded that the peer is stale. */
  acknowledged(machine: SimMachine, log: string, length: number, synced: boolean): void {
    const world = this.#world;
    const expected = logBytes(log, 0, length);
    const holds = (one: SimMachine): boolean => {
      // `received` promises the memory of both, and for a sync the disk of the one that was asked.
      const inMemory = world.level === 'received' && !(synced && one === machine);
      const content = inMemory ? one.disk.content(log) : one.disk.durableContent(log);
      return content?.subarray(0, length).equals(expected) === true;
    };
    if (!holds(machine)) throw new Error(`${log} is acknowledged up to ${length} but not on the primary's disk`);
    const other = world.other(machine);
    const alone = machine.record.peerStale;
    if (!alone && !holds(other)) throw new Error(`${log} is acknowledged up to ${length} but on one disk only`);
    // While the peer may be used, it must have it: a record of stale on either side is what forbids its use.
    if (world.mayServe(other) && !holds(other))
      throw new Error(`${other.name} could take over without ${log} ${length}`);
    world.acknowledged.set(log, Math.max(world.acknowledged.get(log) ?? 0, length));
  }

  /** What people are shown: every answered change was measured once, and none took longer than the role lasted. */
  measures(machine: SimMachine): void {
    const world = this.#world;
    if (machine.role !== 'primary') return;
    const latency = machine.control.measures.latency();
    const counted = latency.reduce((sum, [, , count]) => sum + count, 0);
    if (counted !== machine.answered) throw new Error(`${machine.answered} changes answered, ${counted} measured`);
    const longestMs = (latency.at(-1)?.[0] ?? 0) / 1000;
    if (longestMs > world.nowMs - machine.sinceMs) throw new Error(`a change is said to have taken ${longestMs} ms`);
  }

  /** What is under way never looks like a difference. */
  comparison(message: FromPrimary): void {
    const world = this.#world;
    if (message.type !== 'status' || message.verification === null || world.tampered) return;
    const { state, differing, minor, differences } = message.verification;
    if (differing + minor > 0) throw new Error(`equal copies are said to differ: ${JSON.stringify(differences)}`);
    if (state === 'equal') world.foundEqual += 1;
  }

  data(machine: SimMachine): void {
    const world = this.#world;
    for (const [log, length] of world.acknowledged) {
      const number = machine.disk.get(1).entries.get(log);
      const data = number === undefined ? Buffer.alloc(0) : machine.disk.get(number).data;
      if (!data.subarray(0, length).equals(logBytes(log, 0, length)))
        throw new Error(`${machine.name} lacks acknowledged data of ${log}: ${data.length} of ${length}`);
    }
  }

  /** The end of a resync says that everything is on disk: no power cut may change it. */
  durable(machine: SimMachine): void {
    if (machine.disk.describe().join() !== machine.disk.describeDurable().join())
      throw new Error(`${machine.name} calls itself up to date with what is in its memory only`);
  }

  /** Called up to date, and nothing under way: they are the same. Looked at once for each time; a later return may mend what this one left. */
  copies(): void {
    const world = this.#world;
    const primary = world.machines.find((machine) => machine.role === 'primary');
    if (primary?.primary?.mode !== 'in-sync') {
      this.#judgedSession = null;
      return;
    }
    if (world.tampered) return;
    const { control, stream, wire } = primary;
    // Whoever has not noticed yet that the link is gone says nothing about what was done since.
    if (this.#judgedSession === wire || wire?.broken !== false || stream?.open !== true || stream.writer.length > 0)
      return;
    if (control.acknowledged !== control.sent) return;
    this.#judgedSession = wire;
    world.judgedCopies += 1;
    const [theirs, ours] = [world.other(primary).disk.describe(), primary.disk.describe()];
    const difference = ours.find((line, index) => line !== theirs[index]) ?? theirs[ours.length];
    if (difference !== undefined) throw new Error(`called up to date, but different: ${difference.slice(0, 200)}`);
  }

  /** What a checkpoint claims: both disks hold the same, and no power cut would change that. */
  identical(): void {
    const world = this.#world;
    const [a, b] = world.machines.map((machine) => machine.disk.describeDurable().join('\n'));
    if (a !== b) throw new Error('copies with the same clean checkpoint differ');
  }
}
