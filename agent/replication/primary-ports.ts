/** The primary lane on Linux: the real operations behind its ports. */
import { randomInt } from 'node:crypto';
import { release } from 'node:os';
import { invariant } from '../contract/index.ts';
import type { VolumeRecord } from '../contract/index.ts';
import {
  Filesystem,
  isTransient,
  KeptMemory,
  openBacking,
  readRequest,
  removeOrphans,
  requestBytesMax,
  syncStage,
  writeFailedReply,
  writeParkedReply,
  writeReply,
} from '../fuse/index.ts';
import type { Backing, Carried, Outcome } from '../fuse/index.ts';
import { kernelAtLeast } from '../sys/kernel.ts';
import {
  becomeIoFlusher,
  bootTimeMs,
  close,
  E,
  fileType,
  Memory,
  O,
  POLL,
  Poll,
  sync,
  ThreadIdentity,
} from '../sys/linux.ts';
import { setBlocking } from '../sys/socket.ts';
import { DirectoryHotDisk } from './hot-disk.ts';
import { HotLog } from './hot-log.ts';
import { HotRegions } from './hot-regions.ts';
import { ChangeStream } from './change-stream.ts';
import { CollectedSyncs } from './collected-syncs.ts';
import { ControlBlock } from './control-block.ts';
import { DataConnection } from './data-connection.ts';
import { Inbox } from './inbox.ts';
import { KernelSyncs } from './kernel-syncs.ts';
import type { PrimaryLaneData } from './lane-data.ts';
import type { FromPrimary, ToPrimary } from './lane-messages.ts';
import { LevelStream } from './level-stream.ts';
import { isReady, operation, waitAlone } from './operations.ts';
import { parkedAnswer } from './parked-answer.ts';
import { checkpointIntervalMs } from './primary-checkpoints.ts';
import { outcome, woken } from './primary-context.ts';
import type { FormerErrors, PrimaryPorts } from './primary-context.ts';
import { PrimaryLane } from './primary-lane.ts';
import { DirectoryRecordDisk, errnoOf, RecordStore } from './record-store.ts';
import { usedOf } from './used-bytes.ts';

const outcomes = {
  reply: outcome.reply,
  none: outcome.none,
  deferred: outcome.deferred,
  'sync-waits': outcome.syncWaits,
  parked: outcome.parked,
  destroyed: outcome.ended,
} as const;

/** With a descriptor of its own, which must not keep the space of a file that is removed next. */
function syncNode(backing: Backing, filesystem: Filesystem, id: number): number {
  const node = backing.nodes.get(id);
  if (!node || (node.type !== fileType.file && node.type !== fileType.directory)) return 0;
  const fd = backing.openNode(node, O.RDONLY);
  // Only a sync that fails says something of the disk.
  if (fd < 0) return filesystem.syncAll();
  const status = sync(fd, false);
  close(fd);
  return status;
}

function takeOver(data: PrimaryLaneData, filesystem: Filesystem): Carried | string | null {
  return data.takesOver ? filesystem.takeOver() : null;
}

function formerErrorsOf(filesystem: Filesystem, tell: (message: FromPrimary) => void): FormerErrors {
  return {
    ask: () => {
      const descriptors = filesystem.descriptionsToAsk();
      if (descriptors.length > 0) tell({ type: 'sync-kept', descriptors });
    },
    heard: (status) => {
      filesystem.heard(status);
    },
    get asked() {
      return filesystem.asksElsewhere;
    },
    get unheard() {
      return filesystem.hasUnheardErrors;
    },
    get lost() {
      return filesystem.hasLostErrors;
    },
  };
}

/** What waits for the peer is not counted: most of it has been answered. */
function unansweredIn({ held, inHandLength, replyLength }: Carried): number {
  return held.length + (inHandLength > 0 ? 1 : 0) + (replyLength > 0 ? 1 : 0);
}

export interface PrimaryThread {
  /** Null: the lane has told why it cannot go on where its predecessor ended, and ends. */
  readonly lane: PrimaryLane | null;
  /** The last of this thread. */
  readonly close: () => void;
}

/** Unless told not to. Before Linux 5.8 syncfs(2) reports no error of writing back: then no checkpoint of our own disk is certain. */
function keepsHotLog(): boolean {
  return process.env['HOLDFAST_HOT_LOG'] !== '0' && kernelAtLeast(release(), 5, 8);
}

export function makePrimaryLane(data: PrimaryLaneData, tell: (message: FromPrimary) => void): PrimaryThread {
  // Before the right to it is given away. Refused on kernels before 5.6; then memory pressure is only less well handled.
  becomeIoFlusher();
  const identity = ThreadIdentity.enter();
  const control = new ControlBlock(data.control);
  const kept = data.keptFd < 0 ? null : new KeptMemory(data.keptFd);
  if (kept) {
    kept.onGivenUp = (reason) => tell({ type: 'not-kept', reason });
    kept.onKeptAgain = () => tell({ type: 'kept-again' });
  }
  const backing = openBacking(data.directoryFd, {
    idsAreGiven: false,
    ...(kept && { kept: { nodes: kept.nodes, firstId: kept.reservedIds } }),
  });
  const connection = new DataConnection(control, data.goesOn);
  const store = new RecordStore(new DirectoryRecordDisk(data.directoryFd), data.volume);
  const inbox = new Inbox<ToPrimary>([data.inbox, data.link], data.wakeFd);
  // A request that poll has seen may be gone when it is read, with its caller: nobody may sleep on it who owes answers.
  setBlocking(data.deviceFd, false);
  const request = kept?.request ?? new Memory(requestBytesMax);

  // The stream asks the lane, the lane is made of the stream: the hooks are looked up when they are called.
  const { level } = data;
  let changesWereAsked = false;
  const asksForChange = (): boolean => changesWereAsked;
  const parts: ConstructorParameters<typeof ChangeStream> = [
    backing,
    connection.writer,
    {
      flush: () => {
        connection.flush();
      },
      acknowledged: () => control.acknowledged,
      breakLink: () => {
        connection.broken = true;
      },
    },
    {
      changesAllowed: () => {
        changesWereAsked = true;
        return lane.changesAllowed();
      },
      park: (unique, sequence, written) => {
        if (!lane.park(unique, sequence, written)) return false;
        kept?.requests.park(unique, written);
        kept?.requests.letGo(unique);
        return true;
      },
      syncWaits: () => lane.syncWaits(),
      collect: (unique, sequence, fd, dataOnly, written) => {
        const isCollected = lane.collect(unique, sequence, fd, dataOnly, written);
        if (isCollected && kept?.requests.collect(unique, apply.length) === false) kept.overflown();
        return isCollected;
      },
      localFailure: (call, errno) => {
        lane.localFailure(call, errno);
      },
      get room() {
        return lane.room;
      },
      claimsTooMuch: () => lane.claimsTooMuch(),
    },
  ];
  const stream = level === 'durable' ? new ChangeStream(...parts) : new LevelStream(level, ...parts);
  const touched = stream instanceof LevelStream ? stream.touched : [];
  const hotDisk = new DirectoryHotDisk(data.directoryFd);
  if (keepsHotLog())
    stream.hot = new HotRegions(new HotLog(hotDisk), {
      recorded: () => {
        stream.hotRecorded();
      },
      abandoned: () => {
        lane.hotAbandoned();
      },
      failed: (errno) => {
        lane.localFailure('fsync', errno);
      },
    });
  const filesystem = new Filesystem({ backing, sink: stream, cache: data.cache, identity, ...(kept && { kept }) });
  const syncer = new KernelSyncs();
  const end = (): void => {
    hotDisk.close();
    syncer.close();
    filesystem.close();
    backing.close();
    kept?.close();
  };
  const taken = takeOver(data, filesystem);
  if (typeof taken === 'string') {
    tell({ type: 'not-taken-over', reason: taken });
    return { lane: null, close: end };
  }
  if (taken === null) removeOrphans(data.directoryFd);
  else tell({ type: 'taken-over', openFiles: filesystem.openFiles, requests: unansweredIn(taken) });

  const poll = new Poll([data.wakeFd, data.deviceFd]);
  const waits = {
    poll,
    begin: (): number => {
      if (inbox.mayHaveMessages) return isReady;
      poll.set(1, wait.requests ? data.deviceFd : -1, POLL.IN);
      return wait.timeoutMs;
    },
    end: (count: number): number => {
      if (count === isReady) return woken.message;
      if (count <= 0) {
        inbox.watchSupervisor(control);
        return 0;
      }
      if (poll.ready(0) !== 0) inbox.woken();
      return (poll.ready(0) === 0 ? 0 : woken.message) | (poll.ready(1) === 0 ? 0 : woken.request);
    },
  };
  const wait = { name: 'wait', timeoutMs: 0, requests: true, waits, run: (): number => waitAlone(waits) };
  const note = (requests: KeptMemory['requests'], result: Outcome): void => {
    const { unique } = filesystem;
    const isCollected = requests.lastCollected === unique;
    const isKnown = result !== 'parked' || isCollected || requests.lastParked === unique;
    invariant(isKnown, 'a successor would not know of a request that waits');
    // The answer itself is noted before it is sent, and done with afterwards. Where a level asks for more than `durable`, it is one only when that has been done.
    const isAnswer = result === 'reply' || result === 'destroyed';
    if (isAnswer && level === 'durable') requests.hasReply(filesystem.replyLength);
    if (isAnswer || result === 'deferred' || result === 'sync-waits' || isCollected) return;
    requests.finished();
  };
  const apply = {
    name: 'apply',
    memory: request,
    length: 0,
    run: (): number => {
      changesWereAsked = false;
      kept?.requests.begin(apply.memory);
      const result = filesystem.handle(apply.memory, apply.length);
      // Whoever finds it done already tells nothing, and may have to sync it all the same.
      const isDoneAgain = asksForChange() && result === 'reply' && kept?.requests.isRepeated === true;
      if (level === 'write-through' && isDoneAgain) touched.push(backing.nodes.root);
      if (kept) note(kept.requests, result);
      return outcomes[result];
    },
  };
  const collected = new CollectedSyncs(syncer);
  const syncAnswer = new Memory(64);
  const answerSync = {
    name: 'answer sync',
    unique: 0,
    written: 0,
    error: 0,
    run: (): number => {
      const { unique, written, error } = answerSync;
      const { bytes } = syncAnswer;
      const length = error < 0 ? writeFailedReply(bytes, unique, error) : writeParkedReply(bytes, unique, written);
      const status = writeReply(data.deviceFd, syncAnswer, length);
      const wasCollected = kept?.requests.letGo(unique) === true;
      if (!wasCollected && unique === filesystem.unique) kept?.requests.finished();
      return status;
    },
  };
  const persist = {
    name: 'persist record',
    record: null as VolumeRecord | null,
    run: (): number => {
      if (persist.record === null) return 0;
      // As root: the record may use the blocks that are reserved for it when the application has filled the disk.
      identity.become(0, 0, 0o077);
      try {
        store.write(persist.record);
        return 0;
      } catch (error) {
        // What fails is this volume, and not the others of this process.
        return -errnoOf(error);
      } finally {
        identity.restore();
      }
    },
  };
  const persistIfPossible = {
    name: 'persist record of a failed sync',
    record: null as VolumeRecord | null,
    run: (): number => {
      persist.record = persistIfPossible.record;
      return persist.run();
    },
  };
  const beginSync = {
    name: 'begin syncfs',
    call: 0,
    run: (): number => {
      tell({ type: 'sync', call: beginSync.call });
      return 0;
    },
  };
  const ports: PrimaryPorts = {
    control,
    tree: backing,
    stream,
    window: connection.window,
    request,
    resyncBuffer: new Memory(256 * 1024),
    wait,
    waitForPermission: inbox.sleep('wait for permission', () => 1000, control),
    readRequest: operation('read request', () => {
      kept?.requests.expect();
      const length = readRequest(data.deviceFd, request);
      return isTransient(length) ? 0 : length;
    }),
    apply,
    collected,
    syncFiles: operation('sync files', () => {
      collected.batch.run();
      return 0;
    }),
    answerSync,
    level,
    memoryBoot: data.memoryBoot,
    touched,
    syncTouched: operation('sync touched', () => {
      kept?.requests.noteSync(syncStage.begun);
      if (!filesystem.formerErrorsAllowSync()) return -E.IO;
      // What a predecessor has done of it is not known.
      let status = kept?.requests.isRepeated === true ? filesystem.syncAll() : 0;
      for (const { id } of touched) status = Math.min(status, syncNode(backing, filesystem, id));
      return status;
    }),
    // -ENOENT: the caller was killed and nobody waits; -ENODEV: the next read says it.
    reply: {
      name: 'reply',
      bytes: filesystem.reply.bytes,
      get length() {
        return filesystem.replyLength;
      },
      get unique() {
        return filesystem.unique;
      },
      run: () => {
        kept?.requests.hasReply(filesystem.replyLength);
        const status = writeReply(data.deviceFd, filesystem.reply, filesystem.replyLength);
        kept?.requests.finished();
        return status;
      },
    },
    noteParkedReply: () => {
      kept?.requests.park(filesystem.unique, 0, filesystem.reply.bytes, filesystem.replyLength);
      kept?.requests.finished();
    },
    hold: (length) => {
      const copy = kept?.requests.hold(length) ?? null;
      if (copy === null) kept?.overflown();
      return copy ?? Memory.copyOf(request.bytes.subarray(0, length));
    },
    noneHeld: () => {
      kept?.drained();
    },
    carried: taken,
    replyAgain: operation('reply again', () => {
      const status = writeReply(data.deviceFd, filesystem.reply, taken?.replyLength ?? 0);
      kept?.requests.repliedAgain();
      return status;
    }),
    answerParked: parkedAnswer(control, data.deviceFd),
    send: operation('send', () => connection.flush()),
    persist,
    persistIfPossible,
    syncAll: operation('syncfs', () => filesystem.syncAll()),
    beginSync,
    formerErrors: kept && (data.takesOver || data.asksFirst) ? formerErrorsOf(filesystem, tell) : null,
    peerHot: data.peerHot,
    used: () => usedOf(data.directoryFd),
    nowMs: bootTimeMs,
    message: () => {
      control.countLaneLiveness();
      return inbox.receive();
    },
    tell,
    replaceConnection: (handle) => {
      connection.replace(handle);
    },
    sendAgain: {
      name: 'send again',
      applied: 0,
      run(): number {
        return connection.sendAgain(this.applied);
      },
    },
    takeConnection: (linked) => {
      connection.take(linked.data);
    },
    dropConnection: () => {
      connection.drop();
    },
    linkBroken: () => {
      const { broken } = connection;
      connection.broken = false;
      return broken;
    },
    checkpointIntervalMs,
    randomCheckpoint: () => randomInt(1, 2 ** 47),
  };
  const lane = new PrimaryLane(ports, data.record);
  return { lane, close: end };
}
