/** The primary lane on Linux: the real operations behind its ports. */
import { randomInt } from 'node:crypto';
import { release } from 'node:os';
import { Fault } from '../contract/index.ts';
import type { VolumeRecord } from '../contract/index.ts';
import { Filesystem, isTransient, openBacking, readRequest, requestBytesMax, writeReply } from '../fuse/index.ts';
import { kernelAtLeast } from '../sys/kernel.ts';
import { becomeIoFlusher, bootTimeMs, close, Memory, POLL, Poll, ThreadIdentity } from '../sys/linux.ts';
import { tlsFree, tlsWrite } from '../sys/openssl.ts';
import { setBlocking, shutdownSocket } from '../sys/socket.ts';
import { frameBytesMax, FrameWriter } from './change-codec.ts';
import { DirectoryHotDisk } from './hot-disk.ts';
import { HotLog } from './hot-log.ts';
import { HotRegions } from './hot-regions.ts';
import { ChangeStream } from './change-stream.ts';
import { ControlBlock } from './control-block.ts';
import { Inbox } from './inbox.ts';
import type { PrimaryLaneData } from './lane-data.ts';
import type { ConnectionHandle, FromPrimary, ToPrimary } from './lane-messages.ts';
import { operation } from './operations.ts';
import { parkedAnswer } from './parked-answer.ts';
import { checkpointIntervalMs, outcome, PrimaryLane, woken } from './primary-lane.ts';
import type { PrimaryPorts } from './primary-lane.ts';
import { DirectoryRecordDisk, RecordStore } from './record-store.ts';
import { SendWindow } from './send-window.ts';

const outcomes = {
  reply: outcome.reply,
  none: outcome.none,
  deferred: outcome.deferred,
  parked: outcome.parked,
  destroyed: outcome.ended,
} as const;

/** The data connection as the primary lane owns it: nobody else writes to it, and it is freed here. */
class DataConnection {
  readonly #control: ControlBlock;
  readonly #memory: Memory;
  readonly writer: FrameWriter;
  readonly window = new SendWindow();
  #handle: ConnectionHandle | null = null;
  broken = false;

  constructor(control: ControlBlock) {
    this.#control = control;
    this.#memory = new Memory(2 * frameBytesMax);
    this.writer = new FrameWriter(this.#memory.bytes);
  }

  take(handle: ConnectionHandle): void {
    this.drop();
    setBlocking(handle.fd, true);
    this.#handle = handle;
    this.broken = false;
  }

  flush(): number {
    const { writer } = this;
    if (!this.#handle || tlsWrite(this.#handle.ssl, this.#memory.address(), writer.length) < 0) {
      this.broken = true;
      writer.clear();
      return -1;
    }
    this.window.sent(writer.sequence, writer.length);
    this.#control.sent = writer.sequence;
    writer.clear();
    return 0;
  }

  /** Both sockets, so that the acknowledgement lane notices; it closes its own. */
  drop(): void {
    if (!this.#handle) return;
    this.#control.shutdownSockets(shutdownSocket);
    this.#control.withdrawSocket('dataSocket');
    tlsFree(this.#handle.ssl);
    close(this.#handle.fd);
    this.#handle = null;
  }
}

/** Off unless asked for: primaries that crash in the simulator still find sequences after which too little is compared. Before Linux 5.8 syncfs(2) reports no error of writing back: then no checkpoint of our own disk is certain. */
function keepsHotLog(): boolean {
  return process.env['HOLDFAST_HOT_LOG'] === '1' && kernelAtLeast(release(), 5, 8);
}

export function makePrimaryLane(data: PrimaryLaneData, tell: (message: FromPrimary) => void): PrimaryLane {
  const identity = ThreadIdentity.enter();
  // Refused on kernels before 5.6; then memory pressure is only less well handled.
  becomeIoFlusher();
  const control = new ControlBlock(data.control);
  const backing = openBacking(data.directoryFd, { idsAreGiven: false });
  const connection = new DataConnection(control);
  const store = new RecordStore(new DirectoryRecordDisk(data.directoryFd), data.volume);
  const inbox = new Inbox<ToPrimary>([data.inbox, data.link], data.wakeFd);
  const request = new Memory(requestBytesMax);

  // The stream asks the lane, the lane is made of the stream: the hooks are looked up when they are called.
  const stream = new ChangeStream(
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
      changesAllowed: () => lane.changesAllowed(),
      park: (unique, sequence, written) => lane.park(unique, sequence, written),
      syncWaits: () => lane.syncWaits(),
      localFailure: (call, errno) => {
        lane.localFailure(call, errno);
      },
    },
  );
  if (keepsHotLog())
    stream.hot = new HotRegions(new HotLog(new DirectoryHotDisk(data.directoryFd)), {
      recorded: () => {
        stream.hotRecorded();
      },
      abandoned: () => {
        lane.hotAbandoned();
      },
    });
  const filesystem = new Filesystem({ backing, sink: stream, cache: data.cache, identity });

  const poll = new Poll([data.wakeFd, data.deviceFd]);
  const wait = {
    name: 'wait',
    timeoutMs: 0,
    requests: true,
    run: (): number => {
      if (inbox.mayHaveMessages) return woken.message;
      poll.set(1, wait.requests ? data.deviceFd : -1, POLL.IN);
      if (poll.wait(wait.timeoutMs) <= 0) {
        inbox.watchSupervisor(control);
        return 0;
      }
      if (poll.ready(0) !== 0) inbox.woken();
      return (poll.ready(0) === 0 ? 0 : woken.message) | (poll.ready(1) === 0 ? 0 : woken.request);
    },
  };
  const apply = {
    name: 'apply',
    memory: request,
    length: 0,
    run: (): number => outcomes[filesystem.handle(apply.memory, apply.length)],
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
      } finally {
        identity.restore();
      }
      return 0;
    },
  };
  const persistIfPossible = {
    name: 'persist record of a failed sync',
    record: null as VolumeRecord | null,
    run: (): number => {
      persist.record = persistIfPossible.record;
      try {
        return persist.run();
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        return -1;
      }
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
    waitForPermission: operation('wait for permission', () => {
      inbox.sleep(1000);
      inbox.watchSupervisor(control);
      return 0;
    }),
    readRequest: operation('read request', () => {
      const length = readRequest(data.deviceFd, request);
      return isTransient(length) ? 0 : length;
    }),
    apply,
    // -ENOENT: the caller was killed and nobody waits; -ENODEV: the next read says it.
    reply: operation('reply', () => writeReply(data.deviceFd, filesystem.reply, filesystem.replyLength)),
    answerParked: parkedAnswer(control, data.deviceFd),
    send: operation('send', () => connection.flush()),
    persist,
    persistIfPossible,
    beginSync,
    peerHot: data.peerHot,
    syncAll: operation('syncfs', () => backing.syncAll()),
    nowMs: bootTimeMs,
    message: () => inbox.receive(),
    tell,
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
  return lane;
}
