/** The real primary lane on a machine of the world, under an application. */
import { ChangeRefused } from '../../../agent/fuse/index.ts';
import { ChangeStream } from '../../../agent/replication/change-stream.ts';
import type { AskedRoom } from '../../../agent/replication/change-stream.ts';
import { CollectedSyncs } from '../../../agent/replication/collected-syncs.ts';
import { FrameWriter } from '../../../agent/replication/change-codec.ts';
import { ControlBlock } from '../../../agent/replication/control-block.ts';
import { HotLog } from '../../../agent/replication/hot-log.ts';
import { HotRegions } from '../../../agent/replication/hot-regions.ts';
import type { HotLimits } from '../../../agent/replication/hot-regions.ts';
import { LevelStream } from '../../../agent/replication/level-stream.ts';
import type { Lane } from '../../../agent/replication/operations.ts';
import { outcome, woken } from '../../../agent/replication/primary-context.ts';
import { PrimaryLane } from '../../../agent/replication/primary-lane.ts';
import { SendWindow } from '../../../agent/replication/send-window.ts';
import { SentFrames } from '../../../agent/replication/sent-frames.ts';
import { syncsOneByOne } from '../../../agent/replication/sync-batch.ts';
import type { VolumeRecord } from '../../../agent/contract/index.ts';
import { Memory } from '../../../agent/sys/memory.ts';
import { Application, noRoom } from './application.ts';
import type { Request } from './application.ts';
import type { Inode } from './memory-disk.ts';
import { MemoryTree } from './memory-tree.ts';
import { startAcknowledgement } from './acknowledgement-machine.ts';
import { hotBytes, memories, op } from './machine.ts';
import type { SimMachine, SimOperation, Wire } from './machine.ts';
import { breakHot, breakMarks, breakRoom } from './mutants.ts';
import type { World } from './world.ts';

/** Small enough that every one of them is reached. */
const hotLimits: HotLimits = {
  unitBytes: 64 * 1024,
  missesPerDoubling: 4,
  doublingsMax: 2,
  perDirectory: [
    { misses: 0, max: 6 },
    { misses: 30, max: 2 },
  ],
  treesFrom: 60,
  higherFrom: 80,
  everythingFrom: 100,
};

const roomForEverything: AskedRoom = { take: () => true, ask: () => false, left: () => false };
const noRecord = -2;

export function servePrimary(world: World, machine: SimMachine): void {
  world.judge.data(machine);
  machine.role = 'primary';
  machine.control = new ControlBlock();
  machine.control.leaseDeadlineMs = Number.MAX_SAFE_INTEGER;
  machine.toPrimary = [];
  machine.requests = [];
  machine.unmounted = false;
  machine.answered = 0;
  machine.sinceMs = world.nowMs;
  machine.wire = null;
  const request = new Memory(4096);
  const { control, disk } = machine;
  const tree = new MemoryTree(disk, [memories.resync, request]);
  const writer = new FrameWriter(Buffer.alloc(4 << 20));
  const window = new SendWindow();
  let wire: Wire | null = null;
  let broken = false;
  // As where the cluster has one network.
  const sent = world.goesOn ? new SentFrames(64 * 1024) : null;
  const flush = (): number => {
    if (world.mutant !== 'what-is-under-way-is-not-kept' || wire?.broken === false)
      sent?.append(writer.bytes, writer.length, writer.sequence, control.acknowledged);
    const waits = wire !== null && sent?.isWhole(control.acknowledged) === true && control.mayGoOn;
    if (!wire || (wire.broken && !waits)) {
      broken = true;
      writer.clear();
      return -1;
    }
    if (writer.length > 0 && !wire.broken) wire.data.push(Buffer.from(writer.bytes.subarray(0, writer.length)));
    window.sent(writer.sequence, writer.length);
    control.sent = writer.sequence;
    writer.clear();
    return 0;
  };
  let primary: PrimaryLane | null = null;
  const hooks = {
    changesAllowed: (): boolean => primary!.changesAllowed(),
    park: (unique: number, sequence: number, written: number): boolean => primary!.park(unique, sequence, written),
    syncWaits: (): boolean => primary!.syncWaits(),
    collect: (unique: number, sequence: number, fd: number, dataOnly: boolean, written: number): boolean =>
      primary!.collect(unique, sequence, fd, dataOnly, written),
    localFailure: (call: string, errno: number): void => {
      primary!.localFailure(call, errno);
    },
    get room(): AskedRoom {
      return world.mutant === 'room-is-not-asked-for' ? roomForEverything : primary!.room;
    },
    claimsTooMuch: (): boolean => world.mutant !== 'changes-go-on-that-no-record-knows' && primary!.claimsTooMuch(),
  };
  breakRoom(control, world.mutant);
  const level = world.kept ?? world.level;
  const parts: ConstructorParameters<typeof ChangeStream> = [
    tree,
    writer,
    {
      flush: () => void flush(),
      acknowledged: () => control.acknowledged,
      breakLink: () => {
        broken = true;
      },
    },
    hooks,
    world.marksBytesMax,
  ];
  const stream = level === 'durable' ? new ChangeStream(...parts) : new LevelStream(level, ...parts);
  const touched = stream instanceof LevelStream ? stream.touched : [];
  breakMarks(stream.marks, world.mutant);
  if (world.keepsHotLogs) {
    stream.hot = new HotRegions(
      new HotLog(machine.hotDisk, hotBytes),
      {
        recorded: () => {
          stream.hotRecorded();
        },
        abandoned: () => {
          primary!.hotAbandoned();
        },
        failed: (errno: number) => {
          primary!.localFailure('fsync', errno);
        },
      },
      hotLimits,
    );
    breakHot(stream.hot, world.mutant, machine.later);
  }
  const adopt = stream.marks.adopt.bind(stream.marks);
  stream.marks.adopt = (log, given, confirmed) => {
    world.takenOver += 1;
    adopt(log, given, confirmed);
  };
  const attempt = stream.marks.attempt.bind(stream.marks);
  stream.marks.attempt = () => {
    if (stream.marks.adopted) world.byHotLogs += 1;
    attempt();
  };
  if (world.mutant === 'what-is-not-told-is-forgotten') stream.untold = () => undefined;
  const application = new Application(tree, stream, world.makesLinks);
  const bodies: Request[] = [];
  const readRequest = op({
    name: 'read request',
    run: (): number => {
      const body = machine.requests.shift();
      if (!body) return machine.unmounted ? -19 : 0;
      request.bytes.writeUInt32LE(bodies.push(body) - 1, 0);
      return 4;
    },
  });
  let last = { unique: 0, log: '', length: 0, synced: false };
  /** What the descriptors of collected syncs stand for. */
  const syncing: Inode[] = [];
  const collected = new CollectedSyncs({
    ...syncsOneByOne,
    sync: (fd) => (world.mutant === 'source-does-not-sync' ? 0 : disk.sync(syncing[fd]!)),
  });
  const syncFiles = op({
    name: 'sync files',
    run: (): number => {
      collected.batch.run();
      return 0;
    },
  });
  /** What the filesystem answers with EIO; of several changes the first ones may have been made. */
  const runOrRefuse = (body: Request, syncLater: (inode: Inode) => void): number | null => {
    try {
      return application.run(body, syncLater);
    } catch (error) {
      if (!(error instanceof ChangeRefused)) throw error;
      return noRecord;
    }
  };
  const apply = op({
    name: 'apply',
    memory: request,
    length: 0,
    run: (): number => {
      const body = bodies[apply.memory.bytes.readUInt32LE(0)]!;
      let fd = -1;
      const sequence = runOrRefuse(body, (inode) => {
        fd = syncing.indexOf(inode);
        if (fd < 0) fd = syncing.push(inode) - 1;
      });
      if (sequence === null) return outcome.deferred;
      world.unique += 1;
      if (sequence === noRoom || sequence === noRecord) {
        if (sequence === noRoom) world.refused += 1;
        else world.refusedUnrecorded += 1;
        last = { unique: world.unique, log: '', length: 0, synced: false };
        return outcome.reply;
      }
      last = { unique: world.unique, log: '', length: 0, synced: body.kind === 'append' };
      if (body.kind === 'random') return outcome.reply;
      last = { ...last, log: body.log, length: application.length(body.log) };
      // Of what nobody has synced `durable` promises nothing.
      if (body.kind === 'plain' && world.level === 'durable') return outcome.reply;
      world.waiting.set(world.unique, last);
      if (body.kind === 'plain') return outcome.reply;
      if (!stream.collect(world.unique, sequence, fd, true, 0)) throw new Error('a sync that nobody collects');
      return outcome.parked;
    },
  });
  const acknowledge = (unique: number): void => {
    machine.answered += 1;
    const one = world.waiting.get(unique);
    if (!one) return;
    world.waiting.delete(unique);
    world.judge.acknowledged(machine, one.log, one.length, one.synced);
  };
  const answerSync = op({
    name: 'answer sync',
    unique: 0,
    written: 0,
    error: 0,
    run: (): number => {
      if (answerSync.error === 0) acknowledge(answerSync.unique);
      else {
        if (machine.record.unwritten !== true && !machine.takesNoRecord)
          throw new Error('a failed sync is heard of before it is recorded');
        machine.answered += 1;
        world.waiting.delete(answerSync.unique);
      }
      return 0;
    },
  });
  const answerParked = (): SimOperation =>
    op({
      name: 'answer parked',
      run: (): number => {
        acknowledge(control.parked.claimed.uniqueLow + control.parked.claimed.uniqueHigh * 2 ** 32);
        return 0;
      },
    });
  const wait = op({
    name: 'wait',
    timeoutMs: 0,
    requests: true,
    run: (): number => {
      const request = wait.requests && (machine.requests.length > 0 || machine.unmounted);
      return (request ? woken.request : 0) | (machine.toPrimary.length > 0 ? woken.message : 0);
    },
    // Now and then its time is over.
    ready: (): boolean =>
      wait.timeoutMs === 0 || wait.run() !== 0 || control.wakeOnAcknowledgement || world.random(40) === 0,
  });
  const persist = op({
    name: 'persist',
    record: null as VolumeRecord | null,
    run: (): number => {
      const status = machine.recordFailure;
      // Whoever is told of a failure does not know what stands there. (This world has no votes that know the generation of one who has never heard that he has it.)
      const isNewGeneration = persist.record!.generation?.id !== machine.record.generation?.id;
      if (status < 0 && (isNewGeneration || world.random(2) === 0)) return status;
      machine.record = persist.record!;
      if (world.mutant === 'alone-without-a-record') machine.record = { ...machine.record, peerStale: false };
      world.generation = Math.max(world.generation, machine.record.generation?.number ?? 0);
      return status;
    },
  });
  const persistIfPossible = op({
    name: 'persist if possible',
    record: null as VolumeRecord | null,
    run: (): number => {
      persist.record = persistIfPossible.record;
      return persist.run();
    },
  });
  const beginSync = op({
    name: 'begin syncfs',
    call: 0,
    run: (): number => {
      world.start(machine, 'own syncfs', ownSyncfs(world, machine, beginSync.call));
      return 0;
    },
  });
  primary = new PrimaryLane(
    {
      control,
      tree,
      stream,
      window,
      request,
      resyncBuffer: memories.resync,
      wait,
      waitForPermission: op({ name: 'wait for permission', run: () => 0 }),
      readRequest,
      apply,
      collected,
      syncFiles,
      answerSync,
      reply: {
        name: 'reply',
        bytes: request.bytes,
        length: 16,
        get unique() {
          return last.unique;
        },
        run: (): number => {
          acknowledge(last.unique);
          return 0;
        },
      },
      level,
      memoryBoot: level === 'write-through' ? null : 'boot',
      touched,
      syncTouched: op({
        name: 'sync touched',
        run: (): number => touched.reduce((status, { id }) => Math.min(status, tree.sync(id)), 0),
      }),
      // A machine of this world comes back without its mounts.
      noteParkedReply: () => undefined,
      hold: (length) => Memory.copyOf(request.bytes.subarray(0, length)),
      noneHeld: () => undefined,
      carried: null,
      replyAgain: op({ name: 'reply again', run: () => 0 }),
      answerParked: answerParked(),
      send: op({ name: 'send', run: flush }),
      persist,
      persistIfPossible,
      syncAll: op({ name: 'syncfs', run: (): number => disk.syncAll() }),
      used: () => ({ bytes: 1_000_000, objects: 100 }),
      beginSync,
      formerErrors: null,
      peerHot: machine.peerHot,
      nowMs: () => world.nowMs,
      message: () => machine.toPrimary.shift() ?? null,
      tell: (message) => {
        machine.outbox.push(message);
        world.judge.comparison(message);
      },
      replaceConnection: (data) => {
        wire = world.wires[data.fd] ?? null;
        broken = false;
      },
      sendAgain: op({
        name: 'send again',
        applied: 0,
        run(): number {
          const isMutant = world.mutant === 'the-stream-goes-on-where-it-was-acknowledged';
          const lacking = sent?.after(isMutant ? control.acknowledged : this.applied);
          if (!sent || !lacking || !wire) return -1;
          const { start, length } = lacking;
          if (length > 0 && !wire.broken)
            wire.data.push(Buffer.from(sent.memory.bytes.subarray(start, start + length)));
          return 0;
        },
      }),
      takeConnection: () => {
        wire = machine.wire;
        sent?.begin();
        broken = false;
      },
      dropConnection: () => {
        if (wire) wire.broken = true;
        wire = null;
      },
      linkBroken: () => {
        const was = broken;
        broken = false;
        return was;
      },
      checkpointIntervalMs: 4,
      randomCheckpoint: () => 1 + world.random(1 << 30),
    },
    machine.record,
  );
  machine.primary = primary;
  machine.tree = tree;
  machine.stream = stream;
  world.start(machine, 'primary', primary.run());
  startAcknowledgement(world, machine, answerParked());
}

function* ownSyncfs(world: World, machine: SimMachine, call: number): Lane {
  yield op({
    name: 'own syncfs elsewhere',
    run: (): number => {
      const status = world.mutant === 'hot-regions-go-without-our-own-sync' ? 0 : machine.disk.syncAll();
      machine.toPrimary.push({ type: 'synced', call, status });
      return 0;
    },
  });
}
