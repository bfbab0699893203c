/** The secondary lane on Linux: frames in, acknowledgements out, and the copy itself. */
import { release } from 'node:os';
import { Fault } from '../contract/index.ts';
import type { FaultRecord, VolumeRecord } from '../contract/index.ts';
import { openBacking } from '../fuse/index.ts';
import type { Backing } from '../fuse/index.ts';
import { kernelAtLeast } from '../sys/kernel.ts';
import { bootTimeMs, close, Memory, Poll, syncFilesystem, ThreadIdentity } from '../sys/linux.ts';
import { tlsFree, tlsWrite } from '../sys/openssl.ts';
import { setBlocking, shutdownSocket } from '../sys/socket.ts';
import { frameBytesMax } from './change-codec.ts';
import { closeConnection, Connection } from './connection.ts';
import type { Interruption } from './connection.ts';
import { ControlBlock } from './control-block.ts';
import { beginSchema, encodeHandshake, ourVersion } from './handshake.ts';
import type { HotOffer } from './handshake.ts';
import { DirectoryHotDisk } from './hot-disk.ts';
import { hotOffer } from './hot-offer.ts';
import { Inbox } from './inbox.ts';
import { KernelSyncs } from './kernel-syncs.ts';
import type { SecondaryLaneData } from './lane-data.ts';
import type { FromSecondary, PeerHot, ToSecondary } from './lane-messages.ts';
import { ObjectSyncs } from './object-syncs.ts';
import { isReady, operation, runSteps, waitAlone } from './operations.ts';
import type { Steps } from './operations.ts';
import { DirectoryRecordDisk, RecordStore } from './record-store.ts';
import { roomOf } from './room.ts';
import { readable, SecondaryLane } from './secondary-lane.ts';
import { SyncBatch } from './sync-batch.ts';

const contactTimeoutMs = 10_000;

/** The two accepted connections of the link in use. */
class AcceptedLink {
  readonly #control: ControlBlock;
  readonly #interruption: Interruption;
  data: Connection | null = null;
  answers: Connection | null = null;

  constructor(control: ControlBlock, interruption: Interruption) {
    this.#control = control;
    this.#interruption = interruption;
  }

  use(accepted: ToSecondary & { type: 'accepted' }): void {
    this.close();
    this.data = new Connection(accepted.data, this.#interruption);
    this.answers = new Connection(accepted.acknowledgements, this.#interruption);
    setBlocking(this.answers.fd, true);
    this.#control.publishSocket('dataSocket', this.data.fd);
    this.#control.publishSocket('answerSocket', this.answers.fd);
    if (this.#control.cuts !== accepted.cuts) this.#control.shutdownSockets(shutdownSocket);
  }

  close(): void {
    this.#control.shutdownSockets(shutdownSocket);
    this.#control.withdrawSocket('dataSocket');
    this.#control.withdrawSocket('answerSocket');
    for (const connection of [this.data, this.answers]) {
      if (!connection) continue;
      tlsFree(connection.ssl);
      close(connection.fd);
    }
    this.data = this.answers = null;
  }
}

export function makeSecondaryLane(
  data: SecondaryLaneData,
  tell: (message: FromSecondary) => void,
): { readonly lane: SecondaryLane; readonly close: () => void } {
  // Its umask is 0: every mode is given by the stream. It may not use root's reserve either, so that what the source's disk had no
  // room for is not taken here, and the record finds room.
  const identity = ThreadIdentity.enter();
  const control = new ControlBlock(data.control);
  const inbox = new Inbox<ToSecondary>([data.inbox], data.wakeFd);
  const link = new AcceptedLink(control, {
    wakeFd: data.wakeFd,
    requested: () => inbox.interrupted(),
  });
  const store = new RecordStore(new DirectoryRecordDisk(data.directoryFd), data.volume);
  const input = new Memory(2 * frameBytesMax);
  const answerMemory = new Memory(64 * 1024);
  const poll = new Poll([data.wakeFd, -1]);
  let backing: Backing | null = null;

  const attempt = (run: () => void): number => {
    try {
      run();
      return 0;
    } catch (error) {
      if (error instanceof Fault) return -1;
      throw error;
    }
  };
  const waits = {
    poll,
    begin: (): number => {
      const connection = wait.link ? link.data : null;
      if (inbox.mayHaveMessages || connection?.drained === false) return isReady;
      poll.set(1, connection?.fd ?? -1);
      return wait.timeoutMs;
    },
    end: (count: number): number => {
      if (count === isReady) return inbox.mayHaveMessages ? readable.message : readable.data;
      if (count <= 0) {
        inbox.watchSupervisor(control);
        return 0;
      }
      if (poll.ready(0) !== 0) inbox.woken();
      return (poll.ready(0) === 0 ? 0 : readable.message) | (poll.ready(1) === 0 ? 0 : readable.data);
    },
  };
  const wait = { name: 'wait', timeoutMs: 0, link: false, waits, run: (): number => waitAlone(waits) };
  const receive = {
    name: 'receive',
    end: 0,
    run: (): number => {
      if (!link.data) return -1;
      const count = link.data.receive(input, receive.end, input.length - receive.end);
      if (count < 0) return -1;
      receive.end += count;
      return receive.end;
    },
  };
  const welcome = {
    name: 'welcome',
    record: null as VolumeRecord | null,
    refusal: null as FaultRecord | null,
    hot: null as HotOffer | null,
    heardHot: null as PeerHot | null,
    run: (): number =>
      attempt(() => {
        const { record, refusal, hot, heardHot } = welcome;
        const { node, programVersion } = data;
        const answer = refusal
          ? { say: 'refused', fault: refusal }
          : {
              say: 'welcome',
              ...ourVersion(programVersion),
              node,
              record,
              verifies: true,
              hearsHot: true,
              countsCheckpoints: true,
              goesOn: true,
              hot,
              heardHot,
            };
        // May be more than a socket takes at once.
        if (link.data) setBlocking(link.data.fd, true);
        link.data?.say(answer);
        if (link.data) setBlocking(link.data.fd, false);
      }),
  };
  const goesOn = {
    name: 'goes on',
    applied: 0,
    run: (): number => attempt(() => link.data?.say({ say: 'goes-on', applied: goesOn.applied })),
  };
  const readHot = {
    name: 'read hot log',
    record: null as VolumeRecord | null,
    offer: null as HotOffer | null,
    run: (): number => {
      const disk = new DirectoryHotDisk(data.directoryFd);
      readHot.offer = hotOffer(disk, readHot.record?.hot ?? null);
      disk.close();
      return 0;
    },
  };
  const awaitBegin = {
    name: 'await begin',
    contact: null as 'in-sync' | 'resync' | null,
    *steps(): Steps {
      awaitBegin.contact = null;
      if (!link.data) return 0;
      try {
        const { contact } = yield* link.data.hear(beginSchema, bootTimeMs() + contactTimeoutMs);
        awaitBegin.contact = contact;
        return 0;
      } catch (error) {
        if (error instanceof Fault) return -1;
        throw error;
      }
    },
    run: (): number => runSteps(awaitBegin.steps()),
  };
  const answer = {
    name: 'answer',
    bytes: answerMemory.bytes,
    length: 0,
    run: (): number => (link.answers ? tlsWrite(link.answers.ssl, answerMemory.address(), answer.length) : -1),
  };
  const persist = {
    name: 'persist record',
    record: null as VolumeRecord | null,
    fault: null as Fault | null,
    run: (): number => {
      if (persist.record === null) return 0;
      identity.become(0, 0, 0o077);
      try {
        store.write(persist.record);
        return 0;
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        persist.fault = error;
        return -1;
      } finally {
        identity.restore();
      }
    },
  };
  const syncer = new KernelSyncs();
  const batch = new SyncBatch(syncer);
  const syncObjects = {
    name: 'sync objects',
    syncs: new ObjectSyncs(),
    run: (): number => {
      const { syncs } = syncObjects;
      let status = 0;
      batch.clear();
      for (let place = 0; place < syncs.count; place++) {
        const id = syncs.id(place);
        const dataOnly = syncs.isDataOnly(place);
        const fd = backing?.descriptorToSync(id) ?? -1;
        if (fd >= 0) batch.add(fd, dataOnly);
        else status = Math.min(status, backing?.sync(id, dataOnly) ?? -1);
      }
      batch.run();
      for (let place = 0; place < batch.count; place++) status = Math.min(status, batch.statusOf(place));
      return status;
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
  const lane = new SecondaryLane(
    {
      volume: data.volume,
      peer: data.peer,
      input,
      compareBuffer: new Memory(1 << 20),
      wait,
      receive,
      welcome,
      goesOn,
      readHot,
      awaitBegin,
      ready: operation('ready', () => attempt(() => link.data?.say({ say: 'ready' }))),
      answer,
      persist,
      syncAll: operation('syncfs', () => syncFilesystem(data.directoryFd)),
      syncObjects,
      beginSync,
      use: (accepted) => {
        link.use(accepted);
      },
      refuse: ({ data: refused, acknowledgements }, fault) => {
        const refusal = Memory.copyOf(encodeHandshake({ say: 'refused', fault: fault.toRecord() }));
        tlsWrite(refused.ssl, refusal.address(), refusal.length);
        closeConnection(refused);
        closeConnection(acknowledgements);
      },
      closeLink: () => {
        link.close();
      },
      newTree: () => {
        backing?.close();
        backing = openBacking(data.directoryFd, { idsAreGiven: true });
        return backing;
      },
      level: data.level,
      memoryBoot: data.memoryBoot,
      // Before Linux 5.8 syncfs(2) reports no error of writing back.
      offersMarks: process.env['HOLDFAST_RESYNC_BY_MARKS'] !== '0' && kernelAtLeast(release(), 5, 8),
      room: () => roomOf(data.directoryFd),
      nowMs: bootTimeMs,
      message: () => {
        control.countLaneLiveness();
        return inbox.receive();
      },
      tell,
    },
    data.record,
    data.peerHot,
  );
  const end = (): void => {
    syncer.close();
    backing?.close();
  };
  return { lane, close: end };
}
