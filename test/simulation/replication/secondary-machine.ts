/** The real secondary lane on a machine of the world. */
import { answerKind } from '../../../agent/replication/answer-codec.ts';
import type { PeerHot } from '../../../agent/replication/lane-messages.ts';
import { hotOffer } from '../../../agent/replication/hot-offer.ts';
import type { HotOffer } from '../../../agent/replication/handshake.ts';
import { ObjectSyncs } from '../../../agent/replication/object-syncs.ts';
import type { Lane } from '../../../agent/replication/operations.ts';
import { uncounted } from '../../../agent/replication/room.ts';
import type { Room } from '../../../agent/replication/room.ts';
import { readable, SecondaryLane } from '../../../agent/replication/secondary-lane.ts';
import type { FaultRecord, VolumeRecord } from '../../../agent/contract/index.ts';
import { Memory } from '../../../agent/sys/memory.ts';
import { MemoryTree } from './memory-tree.ts';
import { hotBytes, memories, op } from './machine.ts';
import type { SimMachine, Wire } from './machine.ts';
import type { World } from './world.ts';

export function serveSecondary(world: World, machine: SimMachine): void {
  machine.role = 'secondary';
  machine.toSecondary = [];
  const { disk } = machine;
  let wire: Wire | null = null;
  const input = new Memory(4 << 20);
  const receive = op({
    name: 'receive',
    end: 0,
    run: (): number => {
      const chunk = wire?.data.shift();
      if (!chunk) return -1;
      // Frames arrive in pieces.
      const room = input.length - receive.end;
      const take = Math.min(room, world.random(2) === 0 ? chunk.length : 1 + world.random(chunk.length));
      if (take < chunk.length) wire?.data.unshift(chunk.subarray(take));
      chunk.copy(input.bytes, receive.end, 0, take);
      receive.end += take;
      return receive.end;
    },
  });
  /** A sync was made, and the source has not heard of it. */
  let tellsNobody = false;
  const answerBytes = Buffer.alloc(65536);
  const wait = op({
    name: 'wait',
    timeoutMs: 0,
    link: false,
    run: (): number => {
      const data = wait.link && (wire?.data.length ?? 0) + (wire?.broken === true ? 1 : 0) > 0;
      return (data ? readable.data : 0) | (machine.toSecondary.length > 0 ? readable.message : 0);
    },
    // Nothing comes for a moment: what is owed is acknowledged.
    ready: (): boolean => {
      if (tellsNobody) throw new Error(`${machine.name} waits, and tells nobody of a sync that it has made`);
      return wait.timeoutMs === 0 || wait.run() !== 0 || (wait.timeoutMs < 100 && world.random(20) === 0);
    },
  });
  const welcome = op({
    name: 'welcome',
    record: null as VolumeRecord | null,
    refusal: null as FaultRecord | null,
    hot: null as HotOffer | null,
    heardHot: null as PeerHot | null,
    run: (): number => {
      if (!wire || wire.broken) return -1;
      wire.refusal = welcome.refusal;
      wire.welcome = welcome.record;
      wire.hot = welcome.hot;
      wire.heardHot = welcome.heardHot;
      return 0;
    },
  });
  const goesOn = op({
    name: 'goes on',
    applied: 0,
    run: (): number => {
      if (!wire || wire.broken) return -1;
      wire.applied = goesOn.applied;
      return 0;
    },
  });
  const readHot = op({
    name: 'read hot log',
    record: null as VolumeRecord | null,
    offer: null as HotOffer | null,
    run: (): number => {
      readHot.offer = hotOffer(machine.hotDisk, readHot.record?.hot ?? null, hotBytes);
      if (readHot.offer && world.mutant === 'the-hot-log-of-the-peer-is-ignored')
        readHot.offer = { ...readHot.offer, entries: '' };
      if (readHot.offer && world.mutant === 'an-older-hot-log-is-believed')
        readHot.offer = { ...readHot.offer, number: 2 ** 40 };
      return 0;
    },
  });
  const awaitBegin = op({
    name: 'await begin',
    contact: null as 'in-sync' | 'resync' | null,
    run: (): number => {
      awaitBegin.contact = wire?.begun ?? null;
      return awaitBegin.contact === null ? -1 : 0;
    },
    ready: (): boolean => !wire || wire.broken || wire.begun !== null,
  });
  const ready = op({
    name: 'ready',
    run: (): number => {
      if (!wire || wire.broken) return -1;
      wire.ready = true;
      return 0;
    },
  });
  const answer = op({
    name: 'answer',
    bytes: answerBytes,
    length: 0,
    run: (): number => {
      // But for syncs that fail these disks take everything: whoever leaves has been told something that is not so.
      const leaves = answerBytes[4] === answerKind.fault;
      if (leaves) machine.left += 1;
      // A stale copy is not asked what it has room for.
      const isStale = world.leavesStale && machine.record.copy === 'stale';
      const mayLeave =
        world.leaves ||
        isStale ||
        machine.secondary?.record.unwritten === true ||
        machine.takesNoRecord ||
        machine.takesFaults;
      if (leaves && !mayLeave)
        throw new Error(`${machine.name} left: ${answerBytes.toString('utf8', 5, answer.length)}`);
      if (answerBytes[4] === answerKind.acknowledge) tellsNobody = false;
      if (!wire || wire.broken) return -1;
      wire.answers.push(Buffer.from(answerBytes.subarray(0, answer.length)));
      return 0;
    },
  });
  const persist = op({
    name: 'persist',
    record: null as VolumeRecord | null,
    fault: null,
    run: (): number => {
      if (machine.takesNoRecord) return -1;
      if (machine.record.copy === 'stale' && persist.record!.copy === 'up-to-date') world.judge.durable(machine);
      machine.record = persist.record!;
      if (world.mutant === 'a-failed-sync-is-forgotten') machine.record = { ...machine.record, unwritten: false };
      if (world.mutant === 'stale-is-not-recorded') machine.record = { ...machine.record, copy: 'up-to-date' };
      return 0;
    },
  });
  const syncObjects = op({
    name: 'sync objects',
    syncs: new ObjectSyncs(),
    run: (): number => {
      let status = 0;
      for (let place = 0; place < syncObjects.syncs.count; place++)
        status = Math.min(status, machine.tree!.sync(syncObjects.syncs.id(place)));
      tellsNobody = status >= 0;
      return status;
    },
  });
  const beginSync = (call: number): number => {
    world.start(machine, 'syncfs', syncfs(world, machine, call));
    return 0;
  };
  const lane = new SecondaryLane(
    {
      volume: 'm/0',
      peer: world.other(machine).name,
      input,
      compareBuffer: memories.compare,
      wait,
      receive,
      welcome,
      goesOn,
      readHot,
      awaitBegin,
      ready,
      answer,
      persist,
      syncAll: op({ name: 'syncfs', run: (): number => disk.syncAll() }),
      syncObjects,
      beginSync: op({
        name: 'begin syncfs',
        call: 0,
        run(): number {
          return beginSync(this.call);
        },
      }),
      use: (accepted) => {
        if (wire) wire.broken = true;
        wire = world.wires[accepted.data.fd] ?? null;
      },
      refuse: (accepted, fault) => {
        world.wires[accepted.data.fd]!.refusal = fault.toRecord();
      },
      closeLink: () => {
        tellsNobody = false;
        if (wire) wire.broken = true;
        wire = null;
      },
      newTree: () => {
        const tree = new MemoryTree(disk, [input, memories.compare]);
        if (world.mutant === 'target-does-not-sync') tree.sync = () => 0;
        machine.tree = tree;
        return tree;
      },
      offersMarks: true,
      level: world.level,
      memoryBoot: world.level === 'write-through' ? null : 'boot',
      room: () => roomOfSimulated(world, disk.freeBytes),
      nowMs: () => world.nowMs,
      message: () => machine.toSecondary.shift() ?? null,
      tell: (message) => {
        machine.outbox.push(message);
        if (message.type === 'status') machine.peerHot = message.peerHot;
      },
    },
    machine.record,
    machine.peerHot,
  );
  machine.secondary = lane;
  world.start(machine, 'secondary', lane.run());
}

/** For what is not counted: objects that wait in limbo or in the trash, and what is under way. */
const reserveBytes = 24 * 1024;

function roomOfSimulated(world: World, freeBytes: number): Room {
  const bytes = freeBytes === Infinity ? uncounted : Math.max(0, freeBytes - reserveBytes);
  // Of a mutant: nobody looks.
  const told = world.mutant === 'room-is-told-once' ? (world.firstRoom ??= bytes) : bytes;
  return { bytes: told, names: uncounted, totalBytes: uncounted, totalNames: uncounted };
}

/** A thread of its own: the stream goes on meanwhile. */
function* syncfs(world: World, machine: SimMachine, call: number): Lane {
  yield op({
    name: 'syncfs elsewhere',
    run: (): number => {
      const status = world.mutant === 'checkpoint-without-a-sync' ? 0 : machine.disk.syncAll();
      machine.toSecondary.push({ type: 'synced', call, status });
      return 0;
    },
  });
}
