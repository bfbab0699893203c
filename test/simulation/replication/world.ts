/**
 * Two machines with disks that lose unsynced data, the real lanes of replication on them, and a wire. One step runs one operation of one lane; a
 * fault may come before any of them. Roles are given by a control plane that knows who may (the decision core has a simulation of its own).
 */
import type { Lane } from '../../../agent/replication/operations.ts';
import * as lineage from '../../../agent/replication/volume-lineage.ts';
import { protocolVersion } from '../../../agent/contract/index.ts';
import type { AcknowledgeLevel, Generation, VolumeRecord } from '../../../agent/contract/index.ts';
import type { Random } from './application.ts';
import type { DiskImage } from './memory-disk.ts';
import { Judge } from './judge.ts';
import { SimMachine } from './machine.ts';
import type { Running, Wire } from './machine.ts';
import type { Mutant } from './mutants.ts';
import { servePrimary } from './primary-machine.ts';
import { serveSecondary } from './secondary-machine.ts';

export class World {
  readonly mutant: Mutant | null;
  readonly machines: readonly [SimMachine, SimMachine];
  readonly random: Random;
  nowMs = 1_000_000;
  /** What an answer promises, and what the lanes keep: the same, but for the judge's own test. */
  level: AcknowledgeLevel = 'durable';
  kept: AcknowledgeLevel | null = null;
  /** Acknowledged length of each log. */
  readonly acknowledged = new Map<string, number>();
  steps = 0;
  generation = 1;
  /** How often somebody was given the right to go on alone: names of generations differ. */
  goneAlone = 0;
  /** More marks than this end the log. */
  marksBytesMax = 64 * 1024 * 1024;
  /** A target may leave. */
  leaves = false;
  /** The same, but only during a resync. */
  leavesStale = false;
  /** Changes that the application was refused because there was no room. */
  refused = 0;
  /** Of a mutant. */
  firstRoom: number | null = null;
  /** Comparisons that came to an end, and found both copies equal. */
  foundEqual = 0;
  /** Somebody has changed a copy behind the back of the replication: a comparison may find something. */
  tampered = false;
  /** Whether primaries keep logs on their disks; how often one was taken over, and a resync begun by it. */
  keepsHotLogs = true;
  takenOver = 0;
  byHotLogs = 0;
  /** Requests that primaries have refused, because neither a log nor the record could be told of their changes. */
  refusedUnrecorded = 0;
  /** Files with several names make resyncs by marks give up: not all of the runs should. */
  makesLinks = true;
  /** Of the protocol that each side says it speaks. */
  sourceMinor: number = protocolVersion.minor;
  targetMinor: number = protocolVersion.minor;
  countsCheckpoints = true;
  /** There is another network, and both sides know how to go on over it; how often they did. */
  goesOn = false;
  wentOn = 0;
  /** How often both copies were called up to date, and compared. */
  judgedCopies = 0;
  readonly judge: Judge = new Judge(this);
  /** Number of the last request. */
  unique = 0;
  /** Requests whose answer promises something, by their number. */
  readonly waiting = new Map<number, { log: string; length: number; synced: boolean }>();
  readonly wires: Wire[] = [];

  constructor(random: Random, mutant: Mutant | null = null) {
    this.random = random;
    this.mutant = mutant;
    const first: Generation = { number: 1, id: 'g1' };
    this.machines = [
      new SimMachine('n1', lineage.freshGood('u', first)),
      new SimMachine('n2', lineage.freshBlank('u')),
    ];
  }

  other(machine: SimMachine): SimMachine {
    return machine === this.machines[0] ? this.machines[1] : this.machines[0];
  }

  /** For its roles: a lane that runs on it from now on. */
  start(machine: SimMachine, name: string, lane: Lane): void {
    const first = lane.next();
    machine.lanes.push({ name, lane, pending: first.done === true ? null : first.value });
  }

  /** Ordered by a person, at any time; refused while a resync runs. */
  verify(machine: SimMachine, repair: boolean): void {
    machine.toPrimary.push({ type: 'verify', call: 0, repair });
  }

  /** What the decision core checks before it gives the right: newest generation, not stale. Never a person's order. */
  mayServe(machine: SimMachine): boolean {
    return machine.record.copy === 'up-to-date' && machine.record.generation?.number === this.generation;
  }

  // --- roles ----------------------------------------------------------------------------------------------------------

  serveSecondary(machine: SimMachine): void {
    serveSecondary(this, machine);
  }
  servePrimary(machine: SimMachine): void {
    servePrimary(this, machine);
  }

  // --- faults ---------------------------------------------------------------------------------------------------------

  connected = true;

  breakLink(): void {
    for (const wire of this.wires) {
      wire.broken = true;
      if (this.random(2) === 0) wire.data = [];
      if (this.random(2) === 0) wire.answers = [];
    }
  }

  /** The process dies (`power`: the machine, and what it had not synced may be gone). */
  crash(machine: SimMachine, power: boolean): void {
    this.judge.measures(machine);
    machine.lanes = [];
    machine.role = 'idle';
    machine.primary = null;
    machine.secondary = null;
    machine.requests = [];
    machine.peerHot = null;
    machine.later.length = 0;
    this.waiting.clear();
    this.breakLink();
    if (!power) return;
    machine.disk.powerCut(this.random(3) === 0);
    machine.hotDisk.powerCut(this.random);
  }

  #snapshots = new Map<SimMachine, { disk: DiskImage; hot: Buffer | null; record: VolumeRecord }>();

  /** As a storage or a hypervisor takes one, at any instant. */
  takeSnapshot(machine: SimMachine): void {
    this.#snapshots.set(machine, {
      disk: machine.disk.image(),
      hot: machine.hotDisk.image(),
      record: machine.record,
    });
  }

  /** Somebody sets a copy back that is not in use. False: there is nothing, or it would be used (that is the decision core's to prevent). */
  restoreSnapshot(machine: SimMachine): boolean {
    const snapshot = this.#snapshots.get(machine);
    if (!snapshot || machine.role === 'primary' || snapshot.record.generation?.number === this.generation) return false;
    this.crash(machine, true);
    machine.disk.restore(snapshot.disk);
    machine.hotDisk.restore(snapshot.hot);
    machine.record = snapshot.record;
    return true;
  }

  /** Planned end of a secondary: applies what came, then stands idle. */
  stopSecondary(machine: SimMachine): void {
    machine.toSecondary.push({ type: 'end' });
    for (let n = 0; n < 100_000 && machine.outbox.every((m) => m.type !== 'ended'); n++) {
      this.step(machine);
      if (machine.secondary === null) return;
    }
    machine.outbox = [];
    machine.lanes = [];
    machine.role = 'idle';
    machine.secondary = null;
  }

  /** Planned end of a primary: unmounts, agrees on a checkpoint when it can. A fault may come before any step of it. */
  stopPrimary(machine: SimMachine, faultAfterSteps: number): void {
    machine.unmounted = true;
    machine.outbox = [];
    machine.toPrimary.push({ type: 'clean-stop', call: 1 });
    for (let n = 0; n < 100_000 && machine.outbox.every((m) => m.type !== 'ended'); n++) {
      if (n === faultAfterSteps) this.breakLink();
      this.step();
      // It has crashed meanwhile.
      if (machine.primary === null) return;
    }
    this.judge.measures(machine);
    machine.lanes = [];
    machine.role = 'idle';
    machine.primary = null;
    this.breakLink();
    this.waiting.clear();
    const done = machine.outbox.find((m) => m.type === 'done');
    if (done?.type !== 'done') throw new Error('a clean stop without an end');
    const other = this.other(machine);
    const agreed = machine.record.cleanCheckpoint;
    if (!done.clean) return;
    if (agreed === null || other.record.cleanCheckpoint !== agreed)
      throw new Error('clean without a checkpoint on both');
    this.judge.identical();
  }

  // --- running --------------------------------------------------------------------------------------------------------

  /** Sees each operation before it runs; true: something else has happened instead, and the lane may be gone. */
  beforeStep: ((machine: SimMachine, lane: string, operation: string) => boolean) | null = null;

  /** Runs one operation of one lane that can go on. False: none can. */
  step(only?: SimMachine): boolean {
    const ready: { machine: SimMachine; running: Running }[] = [];
    for (const machine of only ? [only] : this.machines)
      for (const running of machine.lanes)
        if (running.pending && (running.pending.ready?.() ?? true)) ready.push({ machine, running });
    const { machine, running: chosen } = ready[this.random(Math.max(1, ready.length))] ?? {};
    if (!machine || !chosen?.pending) return false;
    this.steps += 1;
    this.nowMs += 0.05;
    for (const machine of this.machines) if (machine.later.length > 3) machine.later.shift()?.();
    if (this.beforeStep?.(machine, chosen.name, chosen.pending.name) === true) return true;
    const next = chosen.lane.next(chosen.pending.run());
    chosen.pending = next.done === true ? null : next.value;
    this.judge.copies();
    return true;
  }
}
