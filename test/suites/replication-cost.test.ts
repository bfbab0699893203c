/**
 * What a change costs, in what does not depend on the machine: reads and writes of the threads that carry it, and bytes that are allocated on its way. A bound that
 * breaks says that the write path got fatter; docs/performance.md tells what each of them is made of.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { afterEach, describe, expect, it } from 'vitest';
import { Filesystem, openBacking } from '../../agent/fuse/index.ts';
import { opcode } from '../../agent/fuse/protocol.ts';
import { FrameWriter } from '../../agent/replication/change-codec.ts';
import { ChangeStream } from '../../agent/replication/change-stream.ts';
import { CollectedSyncs } from '../../agent/replication/collected-syncs.ts';
import { ControlBlock } from '../../agent/replication/control-block.ts';
import type { ToPrimary } from '../../agent/replication/lane-messages.ts';
import { HotLog } from '../../agent/replication/hot-log.ts';
import { HotRegions } from '../../agent/replication/hot-regions.ts';
import { operation } from '../../agent/replication/operations.ts';
import type { Lane, Operation } from '../../agent/replication/operations.ts';
import { outcome, woken } from '../../agent/replication/primary-context.ts';
import { PrimaryLane } from '../../agent/replication/primary-lane.ts';
import { SendWindow } from '../../agent/replication/send-window.ts';
import { syncsOneByOne } from '../../agent/replication/sync-batch.ts';
import * as lineage from '../../agent/replication/volume-lineage.ts';
import { bootTimeMs, close, Memory, O, openPath, ThreadIdentity } from '../../agent/sys/linux.ts';
import { MemoryHotDisk } from '../simulation/replication/hot-disk.ts';
import { missingForFilesystemTests } from './filesystem/loop-disk.ts';
import { makePair, startPair } from './replication/pair.ts';
import type { ReplicatorNode } from './replication/pair.ts';

const missing = missingForFilesystemTests();

/** Calls that read and write, of the lanes of a process. Waiting is not counted: how often that happens is the machine's affair. */
function transfers(node: ReplicatorNode): number {
  const tasks = `/proc/${node.child!.pid!}/task`;
  let sum = 0;
  for (const task of readdirSync(tasks)) {
    if (!/^(primary|link|secondary) /.test(readFileSync(`${tasks}/${task}/comm`, 'utf8'))) continue;
    const io = readFileSync(`${tasks}/${task}/io`, 'utf8');
    for (const [, count] of io.matchAll(/^sysc[rw]: (\d+)$/gm)) sum += Number(count);
  }
  return sum;
}

describe('a synced write', () => {
  let pair: readonly ReplicatorNode[] = [];
  afterEach(async () => {
    for (const node of pair) await node.dispose();
    pair = [];
  });

  /**
   * Two requests, two answers, the write itself, one record to the peer: six on the primary's side with the record that comes back. The record, the
   * write and the acknowledgement: three on the other. Where contents do not wait for the sync that follows them there are five more.
   */
  it('takes one record to the peer and one back', async (context) => {
    if (missing !== '') context.skip(missing);
    const [n1, n2] = await makePair('cost');
    pair = [n1, n2];
    await startPair(n1, n2);
    await n1.mode('in-sync');
    const rounds = 400;
    const file = openSync(join(n1.path, 'file'), 'w');
    const block = Buffer.alloc(4096, 7);
    const before = transfers(n1) + transfers(n2);
    for (let n = 0; n < rounds; n++) {
      writeSync(file, block, 0, block.length, 0);
      fdatasyncSync(file);
    }
    const each = (transfers(n1) + transfers(n2) - before) / rounds;
    closeSync(file);
    expect(each).toBeGreaterThan(8);
    expect(each).toBeLessThan(13);
  });
});

/** A lane with a filesystem below, and a peer that has everything at once: no device and no wire. */
class LaneAlone {
  readonly #path = mkdtempSync('/var/tmp/holdfast-cost-');
  readonly #directoryFd = openPath(this.#path, O.RDONLY | O.DIRECTORY);
  readonly #request = new Memory(8192);
  readonly #filesystem: Filesystem;
  readonly #hot: HotRegions;
  readonly #lane: Lane;
  #result = 0;
  /** Makes the next request and returns its length. */
  #next: (() => number) | null = null;
  #answered = 0;

  constructor() {
    const control = new ControlBlock();
    control.leaseDeadlineMs = Number.MAX_SAFE_INTEGER;
    const backing = openBacking(this.#directoryFd, { idsAreGiven: false });
    const writer = new FrameWriter(Buffer.alloc(4 << 20));
    const window = new SendWindow();
    const collected = new CollectedSyncs({ ...syncsOneByOne, sync: () => 0 });
    const messages: ToPrimary[] = [];
    let toldAtMs = 0;
    const flush = (): number => {
      window.sent(writer.sequence, writer.length);
      control.sent = control.acknowledged = writer.sequence;
      // As often as a peer tells it while there is plenty.
      if (bootTimeMs() - toldAtMs >= 100) {
        toldAtMs = bootTimeMs();
        control.room.tell(writer.sequence, { bytes: 2 ** 40, names: 1e6, totalBytes: 2 ** 41, totalNames: 2e6 });
      }
      writer.clear();
      return 0;
    };
    const stream = new ChangeStream(
      backing,
      writer,
      { flush, acknowledged: () => control.acknowledged, breakLink: () => undefined },
      {
        changesAllowed: () => lane.changesAllowed(),
        park: (unique, sequence, written) => lane.park(unique, sequence, written),
        syncWaits: () => lane.syncWaits(),
        collect: (unique, sequence, fd, dataOnly, written) => lane.collect(unique, sequence, fd, dataOnly, written),
        localFailure: () => undefined,
        get room() {
          return lane.room;
        },
      },
    );
    stream.hot = new HotRegions(new HotLog(new MemoryHotDisk()), {
      recorded: () => undefined,
      abandoned: () => undefined,
      failed: () => undefined,
    });
    this.#hot = stream.hot;
    const filesystem = new Filesystem({ backing, sink: stream, cache: 'none', identity: ThreadIdentity.enter() });
    this.#filesystem = filesystem;
    const nothing = (name: string): Operation => operation(name, () => 0);
    const outcomes = {
      reply: outcome.reply,
      none: 0,
      deferred: outcome.deferred,
      'sync-waits': outcome.syncWaits,
      parked: outcome.parked,
      destroyed: 0,
    };
    const apply = {
      name: 'apply',
      memory: this.#request,
      length: 0,
      run: (): number => outcomes[filesystem.handle(apply.memory, apply.length)],
    };
    const answer = (): number => {
      this.#answered += 1;
      return 0;
    };
    const record = lineage.goneAlone(lineage.freshGood('u', { number: 1, id: 'g1' }), { number: 2, id: 'g2' });
    const lane: PrimaryLane = new PrimaryLane(
      {
        control,
        tree: backing,
        stream,
        window,
        request: this.#request,
        resyncBuffer: new Memory(4096),
        beginSync: Object.assign(
          operation('begin-sync', () => 0),
          { call: 0 },
        ),
        formerErrors: null,
        peerHot: null,
        used: () => null,
        wait: {
          name: 'wait',
          timeoutMs: 0,
          requests: true,
          run: () => (messages.length > 0 ? woken.message : this.#next === null ? 0 : woken.request),
        },
        waitForPermission: nothing('permission'),
        readRequest: operation('read', () => {
          const length = this.#next?.() ?? 0;
          this.#next = null;
          return length;
        }),
        apply,
        collected,
        syncFiles: operation('sync', () => {
          collected.batch.run();
          return 0;
        }),
        answerSync: { name: 'answer', unique: 0, written: 0, error: 0, run: answer },
        reply: { name: 'reply', bytes: filesystem.reply.bytes, length: 16, unique: 0, run: answer },
        level: 'durable',
        memoryBoot: null,
        touched: [],
        syncTouched: nothing('touched'),
        noteParkedReply: () => undefined,
        hold: (length) => Memory.copyOf(this.#request.bytes.subarray(0, length)),
        noneHeld: () => undefined,
        carried: null,
        replyAgain: nothing('reply again'),
        answerParked: operation('answer parked', answer),
        send: operation('send', flush),
        persist: { name: 'persist', record: null, run: () => 0 },
        persistIfPossible: { name: 'persist', record: null, run: () => 0 },
        syncAll: nothing('syncfs'),
        nowMs: bootTimeMs,
        message: () => messages.shift() ?? null,
        tell: () => undefined,
        takeConnection: () => undefined,
        replaceConnection: () => undefined,
        sendAgain: { name: 'send again', applied: 0, run: () => -1 },
        dropConnection: () => undefined,
        linkBroken: () => false,
        randomCheckpoint: () => 1,
        checkpointIntervalMs: 1e9,
      },
      record,
    );
    messages.push({
      type: 'linked',
      session: 1,
      contact: 'in-sync',
      recordVersion: control.recordVersion,
      marks: undefined,
      verifies: true,
      sharedGeneration: true,
      hearsHot: false,
      countsCheckpoints: false,
      hot: null,
      heardHot: null,
      contacts: 1,
      data: { fd: -1, ssl: 0n, peer: 'n2' },
    });
    this.#lane = lane.run();
    this.#pending = this.#lane.next();
    this.#hot.begin(1, 1);
  }
  /** Records of the hot log. */
  get recorded(): number {
    return this.#hot.number;
  }
  #pending: IteratorResult<Operation, void>;

  /** One request, until it is answered. */
  request(make: () => number): void {
    this.#next = make;
    for (const wanted = this.#answered + 1; this.#answered < wanted;) {
      if (this.#pending.done === true) throw new Error('the lane has ended');
      this.#result = this.#pending.value.run();
      this.#pending = this.#lane.next(this.#result);
    }
  }

  put(code: number, node: number, body: readonly number[], bodyBytes: number): number {
    const { bytes } = this.#request;
    bytes.writeUInt32LE(40 + bodyBytes, 0);
    bytes.writeUInt32LE(code, 4);
    bytes.writeUInt32LE(2, 8);
    bytes.writeUInt32LE(node, 16);
    for (let index = 0; index < body.length; index++) bytes.writeUInt32LE(body[index] ?? 0, 40 + index * 4);
    return 40 + bodyBytes;
  }

  create(): { node: number; handle: number } {
    this.request(() => {
      this.#request.bytes.write('file\0', 56, 'latin1');
      return this.put(opcode.CREATE, 1, [O.RDWR | O.CREAT, 0o644, 0o22, 0], 16 + 5);
    });
    const { bytes } = this.#filesystem.reply;
    return { node: bytes.readUInt32LE(16), handle: bytes.readUInt32LE(16 + 128) };
  }

  dispose(): void {
    close(this.#directoryFd);
    rmSync(this.#path, { recursive: true });
  }
}

/**
 * Of a write and its sync together, 2.6 KB at this time: the generators of the lane (an object for each step of the way), and numbers for system calls. A copy of the
 * block that is written would double it.
 */
it('a write and its sync allocate little on their way, and keep nothing', (context) => {
  if (missing !== '') context.skip(missing);
  const lane = new LaneAlone();
  try {
    const { node, handle } = lane.create();
    const [write, fsync] = [
      [handle, 0, 0, 0, 4096, 0, 0, 0, 0, 0],
      [handle, 0, 1, 0],
    ];
    const makeWrite = (): number => lane.put(opcode.WRITE, node, write, 40 + 4096);
    const makeSync = (): number => lane.put(opcode.FSYNC, node, fsync, 16);
    const measured = (pairs: number): number => {
      const before = getHeapStatistics().total_allocated_bytes;
      for (let n = 0; n < pairs; n++) {
        lane.request(makeWrite);
        lane.request(makeSync);
      }
      return (getHeapStatistics().total_allocated_bytes - before) / pairs;
    };
    measured(10_000);
    const kept = getHeapStatistics().used_heap_size;
    const recorded = lane.recorded;
    const bytes = measured(20_000);
    expect(lane.recorded).toBe(recorded);
    expect(getHeapStatistics().used_heap_size - kept).toBeLessThan(24 * 1024 * 1024);
    expect(bytes).toBeLessThan(3500);
  } finally {
    lane.dispose();
  }
});
