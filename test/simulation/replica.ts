/**
 * The data plane in the small: a copy is the list of writes it holds. Roles, modes, lineage and the order of durable steps are those of
 * docs/replication.md, with the lineage rules of production; the bytes are left to the tests of agent/replication.
 */
import type { Generation, VolumeRecord, VolumeStatus } from '../../agent/contract/index.ts';
import { contactFault, decideContact, type Contact } from '../../agent/replication/contact.ts';
import {
  checkpointed,
  connectedClean,
  contactSettled,
  contactsFollow,
  contactsLead,
  contactsOfSource,
  contactsOfTarget,
  freshBlank,
  freshGood,
  goneAlone,
  heldInMemory,
  inContact,
  resyncedSource,
  resyncedTarget,
  resyncSource,
  resyncTarget,
  shareGeneration,
} from '../../agent/replication/volume-lineage.ts';
import type { World } from './world.ts';

/** A request that the peer leaves unacknowledged for longer expels it. */
const acknowledgeTimeoutMs = 3000;
/** Of so many contacts one ends when only the target has recorded it. */
const cutShortOneOf = 7;
/** Of so many writes while both are in sync one is followed by a checkpoint. */
const checkpointOneOf = 16;

interface PendingWrite {
  readonly id: number;
  readonly acknowledge: () => void;
}

type StreamMessage =
  /** `counted`: a checkpoint follows it; what the source's record counts. */
  | { readonly kind: 'write'; readonly id: number; readonly counted?: number | undefined }
  | {
      readonly kind: 'finish';
      readonly record: VolumeRecord;
      readonly second: VolumeRecord | null;
      readonly data: readonly number[];
    }
  | { readonly kind: 'clean'; readonly checkpoint: number }
  | { readonly kind: 'acknowledge-write'; readonly id: number; readonly counted: number | undefined }
  | { readonly kind: 'acknowledge-finish' }
  | { readonly kind: 'acknowledge-clean'; readonly checkpoint: number };

class Link {
  open = true;
  private readonly queues = new Map<Replica, { message: StreamMessage; sentMs: number }[]>();
  readonly ends: readonly [Replica, Replica];
  constructor(source: Replica, target: Replica) {
    this.ends = [source, target];
  }

  queueFrom(end: Replica): { message: StreamMessage; sentMs: number }[] {
    const queue = this.queues.get(end) ?? [];
    this.queues.set(end, queue);
    return queue;
  }
}

export interface Durable {
  record: VolumeRecord | null;
  second: VolumeRecord | null;
  data: number[];
}

export class Replica {
  readonly name: string;
  private readonly world: World;
  private readonly pathUp: (from: string, to: string) => boolean;
  private readonly localNow: () => number;
  readonly changed: () => void;
  /** Survives a power cut. `second`: of a module with two volumes, which goes the same ways but for going alone. */
  durable: Durable = { record: null, second: null, data: [] };
  /** The module has two volumes: a new generation is written into one after the other. */
  two = false;
  /** Has not written the generation yet that the first one has. */
  private secondWaits = false;
  /** At the level `received`: of the boot that runs. */
  memoryBoot: string | null = null;
  /** At the level `durable`: of the boot that runs. */
  closedBoot: string | null = null;
  /** Answered while both were in sync, and on this disk only by luck. */
  readonly unsynced = new Set<number>();
  alive = false;
  frozen = false;
  role: VolumeStatus['role'] = 'idle';
  mode: VolumeStatus['mode'] = null;
  fault: VolumeStatus['fault'] = null;
  /** The volume whose disk takes nothing any more; null: all do. It can be read. */
  failing: 0 | 1 | null = null;
  /** As with the power: what was in its memory only is gone, or may be. */
  memoryLost: () => void = () => undefined;
  /** Told of the role that runs, whatever becomes of the disk. */
  private toldFailing: 0 | 1 | null = null;
  link: Link | null = null;
  peer: Replica | null = null;
  leaseUntilMs = 0;
  private pending: PendingWrite[] = [];
  private inbox: (() => void)[] = [];
  /** Unanswered in the mount of a process that has ended; null: there is none. */
  private left: PendingWrite[] | null = null;
  private nextCheckpoint = 1;
  /** Of a target: with which its contact began. */
  private contacts = 0;
  /** Contacts as a source. */
  private begun = 0;
  private finishSent = false;
  /** The target of this resync had the source's generation when it began. */
  private sharedGeneration = false;
  private cleanWaiter: ((clean: boolean) => void) | null = null;

  constructor(
    name: string,
    world: World,
    pathUp: (from: string, to: string) => boolean,
    localNow: () => number,
    changed: () => void,
  ) {
    this.name = name;
    this.world = world;
    this.pathUp = pathUp;
    this.localNow = localNow;
    this.changed = changed;
  }

  status(): VolumeStatus {
    return {
      id: 'db/0',
      path: '/data/db',
      record: this.durable.record,
      role: this.role,
      mode: this.mode,
      link: this.link === null ? 'down' : 'up',
      resync: null,
      fault: this.fault,
      ...(this.role === 'primary' ? { answersUntilMs: this.leaseUntilMs } : {}),
    };
  }

  /** Of every volume. */
  statuses(): VolumeStatus[] {
    const first = this.status();
    const { second } = this.durable;
    if (second === null) return [this.withDisk(first, 0)];
    const mode = this.secondWaits && this.mode === 'alone' ? 'undecided' : this.mode;
    const other = { ...first, id: 'db/1', path: '/data/log', record: second, mode };
    return [this.withDisk(first, 0), this.withDisk(other, 1)];
  }
  private withDisk(status: VolumeStatus, volume: 0 | 1): VolumeStatus {
    if (this.toldFailing !== volume) return status;
    const message = `The disk of ${status.path} failed (fsync).`;
    return { ...status, fault: { code: 'disk-failed', message, remedy: '', details: {} } };
  }

  /** From now on, until it is mended. */
  failDisk(volume: 0 | 1): void {
    this.failing = volume === 1 && this.two ? 1 : 0;
  }

  /** While a role runs what could not be written is read from memory. */
  private forgetUnwritten(): void {
    if (this.toldFailing === null || this.role !== 'primary') return;
    for (const id of this.unsynced)
      if (this.world.random.chance(0.5)) this.durable.data = this.durable.data.filter((one) => one !== id);
    this.memoryLost();
  }

  mendDisk(): void {
    this.failing = null;
  }

  /** True: it did not take what had to be written. */
  private refused(volume: 0 | 1 | null = this.failing): boolean {
    if (this.failing === null || this.failing !== volume) return false;
    if (this.toldFailing === null && this.role !== 'idle') {
      this.toldFailing = volume;
      this.changed();
    }
    return true;
  }

  initialise(volumeUuid: string, generation: Generation | null): void {
    const fresh = (uuid: string): VolumeRecord =>
      generation === null ? freshBlank(uuid) : freshGood(uuid, generation);
    this.durable.record = fresh(volumeUuid);
    this.durable.second = this.two ? fresh(`second ${volumeUuid}`) : null;
  }

  /** Process start: nothing is remembered but the disk, and the mount of a predecessor, mostly. */
  start(): void {
    const { left } = this;
    this.left = null;
    this.alive = true;
    this.role = 'idle';
    this.mode = null;
    this.fault = null;
    this.toldFailing = null;
    this.leaseUntilMs = 0;
    this.secondWaits = false;
    this.pending = [];
    this.inbox = [];
    if (left !== null && this.world.random.chance(0.8)) this.goOnWith(left);
    this.changed();
  }

  /** As after a lost link, and without a lease. */
  private goOnWith(left: PendingWrite[]): void {
    this.role = 'primary';
    this.mode = 'undecided';
    this.pending = left;
    this.world.at(20, () => {
      this.connect();
    });
  }

  /** The process ends, the mount does not: whoever waits in it goes on waiting. */
  loseProcess(): void {
    const left = this.role === 'primary' ? this.pending : null;
    this.die();
    this.left = left;
  }

  /** The mount that nobody serves is removed. */
  removeMount(): void {
    this.left = null;
  }

  die(): void {
    this.alive = false;
    this.left = null;
    this.breakLink(0);
    this.pending = [];
    this.cleanWaiter = null;
    this.role = 'idle';
    this.mode = null;
  }

  /** What was not synced goes with the power: only answered writes are sure to be on this disk. */
  losePower(): void {
    if (this.role === 'primary') {
      const lost = new Set(this.pending.filter(() => this.world.random.chance(0.5)).map((one) => one.id));
      this.durable.data = this.durable.data.filter((id) => !lost.has(id));
    }
    for (const id of this.unsynced)
      if (this.world.random.chance(0.7)) this.durable.data = this.durable.data.filter((one) => one !== id);
    this.die();
  }

  /** From this record on both are in sync. */
  private together(record: VolumeRecord): VolumeRecord {
    const boot = this.memoryBoot ?? this.closedBoot;
    const side = this.role === 'primary' ? 'source' : 'target';
    return heldInMemory(record, boot, side, this.memoryBoot === null ? 'durable' : 'received');
  }

  freeze(frozen: boolean): void {
    this.frozen = frozen;
    if (frozen) return;
    const waiting = this.inbox;
    this.inbox = [];
    for (const one of waiting) one();
  }

  /** False: not by every volume. */
  private persist(transition: (record: VolumeRecord) => VolumeRecord): boolean {
    if (this.durable.record === null) throw new Error('no record');
    if (this.refused()) return false;
    this.durable.record = transition(this.durable.record);
    if (this.durable.second !== null) this.durable.second = transition(this.durable.second);
    return true;
  }

  serveSecondary(): void {
    if (this.role === 'secondary') return;
    this.role = 'secondary';
    this.mode = null;
    this.toldFailing = null;
    this.changed();
  }

  servePrimary(order: boolean): boolean {
    const { record, second } = this.durable;
    const usable = record?.copy === 'up-to-date' && (second === null || second.copy === 'up-to-date');
    if (!usable && !order) return false;
    this.secondWaits = false;
    this.breakLink(0);
    this.role = 'primary';
    this.mode = 'undecided';
    this.fault = null;
    this.toldFailing = null;
    this.world.at(20, () => {
      this.connect();
    });
    this.changed();
    return true;
  }

  goAlone(generation: Generation): void {
    const { record } = this.durable;
    if (this.role !== 'primary' || record === null) return;
    if (record.generation?.id !== generation.id) {
      this.breakLink(0);
      if (this.refused(0)) return;
      this.durable.record = goneAlone(record, generation);
      // From here on the promise is that of a single server, which is not what is judged.
      this.unsynced.clear();
    }
    this.secondGoesAlone(generation);
    if (this.mode === 'undecided') this.mode = 'alone';
    this.release();
    this.changed();
  }

  private secondGoesAlone(generation: Generation): void {
    const { second } = this.durable;
    if (second === null || second.generation?.id === generation.id || this.secondWaits) return;
    this.secondWaits = true;
    this.secondFollows(generation, this.world.random.between(0, 400));
  }

  private secondFollows(generation: Generation, afterMs: number): void {
    this.world.at(afterMs, () => {
      const late = this.durable.second;
      if (!this.secondWaits || !this.alive || this.role !== 'primary' || late === null) return;
      if (this.refused(1)) {
        this.secondFollows(generation, 1000);
        return;
      }
      this.secondWaits = false;
      if (this.durable.record?.generation?.id === generation.id) this.durable.second = goneAlone(late, generation);
      this.changed();
    });
  }

  private release(): void {
    const released = this.pending;
    this.pending = [];
    for (const one of released) this.answer(one);
  }

  /** Nothing is answered past the deadline: the answer waits for an extension, or is never given. */
  private answer(write: PendingWrite): void {
    if (this.role !== 'primary' || !this.alive) return;
    if (this.frozen || this.localNow() >= this.leaseUntilMs)
      this.world.at(20, () => {
        this.answer(write);
      });
    else write.acknowledge();
  }

  /** An application's write + fsync. `acknowledge` is called when both disks have it, or this one may go on alone. */
  write(id: number, acknowledge: () => void): void {
    if (!this.alive || this.frozen || this.role !== 'primary' || this.localNow() >= this.leaseUntilMs) return;
    const write = { id, acknowledge };
    if (this.durable.record?.cleanCheckpoint !== null && !this.persist(connectedClean)) return;
    if (this.mode === 'undecided') {
      this.pending.push({
        id,
        acknowledge: () => {
          this.write(id, acknowledge);
        },
      });
      return;
    }
    // It is an error for the application, which may or may not have reached the other one. What the disk of the other volume does not take is none of this one.
    if (this.failing !== null && (this.failing === 0 || id % 2 === 0) && this.refused()) {
      if (id % 4 === 0) this.send({ kind: 'write', id });
      return;
    }
    this.durable.data.push(id);
    if (this.mode === 'alone') {
      this.answer(write);
      return;
    }
    // Some of them are synced, which at this level is said of the primary's disk only.
    if (this.mode === 'in-sync' && this.memoryBoot !== null && id % 3 !== 0) this.unsynced.add(id);
    this.pending.push(write);
    const isCounted = this.mode === 'in-sync' && id % checkpointOneOf === 0;
    this.send({ kind: 'write', id, counted: isCounted ? this.durable.record?.contacts : undefined });
  }

  private send(message: StreamMessage): void {
    const { link } = this;
    if (link === null || this.peer === null) return;
    const queue = link.queueFrom(this);
    queue.push({ message, sentMs: this.world.nowMs });
    if (queue.length === 1) this.pump(link, this.peer);
    if (message.kind === 'write') {
      this.world.at(acknowledgeTimeoutMs, () => {
        if (link.open && this.pending.some((one) => one.id === message.id)) this.breakLink(0);
      });
    }
  }

  /** TCP: in order, repeated until it passes, broken when it does not for too long. */
  private pump(link: Link, to: Replica): void {
    const queue = link.queueFrom(this);
    const attempt = (): void => {
      const head = queue[0];
      if (!link.open || head === undefined) return;
      if (!this.pathUp(this.name, to.name)) {
        if (this.world.nowMs - head.sentMs > acknowledgeTimeoutMs) this.breakLink(0);
        else this.world.at(50, attempt);
        return;
      }
      queue.shift();
      to.deliver(link, () => {
        to.receive(head.message);
      });
      if (queue.length > 0) this.world.at(this.world.random.between(0.1, 1), attempt);
    };
    this.world.at(this.world.random.between(0.2, 2), attempt);
  }

  private deliver(link: Link, action: () => void): void {
    const guarded = (): void => {
      if (link.open && this.alive) action();
    };
    if (this.frozen) this.inbox.push(guarded);
    else guarded();
  }

  breakLink(noticeMs: number): void {
    const { link } = this;
    if (link === null) return;
    link.open = false;
    for (const end of link.ends) {
      end.link = null;
      const lose = (): void => {
        end.lost();
      };
      if (end === this) lose();
      else this.world.at(noticeMs + this.world.random.between(0, 5), lose);
    }
  }

  private lost(): void {
    if (!this.alive || this.link !== null) return;
    if (this.role === 'primary') {
      // Resynchronising: the record says already that the peer is stale, no new right is needed. Once `finish` is on its way the peer may
      // have become up to date under this generation, and could be used; or it had this generation already: then only a new one lets this node go on.
      if (this.mode === 'in-sync') this.mode = 'undecided';
      else if (this.mode === 'resynchronising' && (this.finishSent || this.sharedGeneration)) this.mode = 'undecided';
      else if (this.mode === 'resynchronising') this.mode = 'alone';
      if (this.mode === 'alone') this.release();
      this.cleanWaiter?.(false);
      this.cleanWaiter = null;
      this.world.at(100, () => {
        this.connect();
      });
    }
    this.changed();
  }

  private connect(): void {
    const { peer } = this;
    if (!this.alive || this.role !== 'primary' || this.link !== null || peer === null) return;
    const again = (): void => {
      this.world.at(200, () => {
        this.connect();
      });
    };
    const own = this.durable.record;
    const theirs = peer.durable.record;
    const reachable = this.pathUp(this.name, peer.name) && this.pathUp(peer.name, this.name);
    if (
      this.frozen ||
      peer.frozen ||
      !peer.alive ||
      peer.role !== 'secondary' ||
      peer.link !== null ||
      !reachable ||
      own === null ||
      theirs === null ||
      this.secondWaits ||
      this.localNow() >= this.leaseUntilMs
    ) {
      again();
      return;
    }
    const verdict = this.verdictWith(peer, own, theirs);
    if (verdict.kind === 'refused') {
      this.fault = contactFault(verdict.code, 'db/0', peer.name);
      peer.fault = this.fault;
      this.changed();
      peer.changed();
      again();
      return;
    }
    this.fault = null;
    peer.fault = null;
    const link = new Link(this, peer);
    this.link = link;
    peer.link = link;
    peer.contacts = contactsOfTarget(own, theirs);
    const noted = peer.persist((old) =>
      inContact(verdict.kind === 'in-sync' ? peer.together(connectedClean(old)) : resyncTarget(old), peer.contacts),
    );
    this.begun += 1;
    if (!noted || this.failing !== null || this.begun % cutShortOneOf === 0) {
      if (noted) this.refused();
      this.breakLink(0);
      return;
    }
    const met = (old: VolumeRecord): VolumeRecord => inContact(old, contactsOfSource(own, theirs));
    if (verdict.kind === 'in-sync') {
      this.persist((old) => this.together(connectedClean(met(old))));
      this.becomeSynced();
      peer.changed();
      return;
    }
    this.persist((old) => resyncSource(met(old)));
    this.unsynced.clear();
    this.mode = 'resynchronising';
    this.finishSent = false;
    this.sharedGeneration = shareGeneration(own, theirs) || this.secondsShare(peer);
    this.replayUndecided();
    this.changed();
    peer.changed();
    this.world.at(this.world.random.between(100, 3000), () => {
      if (!link.open || this.frozen || this.durable.record === null) return;
      this.finishSent = true;
      const { record, second, data } = this.durable;
      this.send({ kind: 'finish', record, second, data: [...data] });
    });
    this.world.at(30_000, () => {
      if (link.open && this.mode === 'resynchronising') this.breakLink(0);
    });
  }

  /** Each volume has a link of its own; here both have one, made when both may be. */
  private verdictWith(peer: Replica, own: VolumeRecord, theirs: VolumeRecord): Contact {
    const first = decideContact(own, theirs);
    const [mine, others] = [this.durable.second, peer.durable.second];
    if (first.kind === 'refused' || mine === null || others === null) return first;
    const second = decideContact(mine, others);
    return second.kind === 'in-sync' ? first : second;
  }

  private secondsShare(peer: Replica): boolean {
    const [mine, others] = [this.durable.second, peer.durable.second];
    return mine !== null && others !== null && shareGeneration(mine, others);
  }

  private becomeSynced(): void {
    this.mode = 'in-sync';
    this.replayUndecided();
    this.changed();
  }

  private replayUndecided(): void {
    const waiting = this.pending;
    this.pending = [];
    for (const one of waiting) {
      // Written before the link came back: the resync or this message brings it over; what was never written is written now.
      if (this.durable.data.includes(one.id)) {
        this.pending.push(one);
        this.send({ kind: 'write', id: one.id });
      } else one.acknowledge();
    }
  }

  private receive(message: StreamMessage): void {
    switch (message.kind) {
      case 'write':
        if (this.role !== 'secondary') return;
        // It leaves.
        if (this.refused()) {
          this.breakLink(0);
          return;
        }
        if (!this.durable.data.includes(message.id)) this.durable.data.push(message.id);
        if (this.memoryBoot !== null) this.unsynced.add(message.id);
        this.follow(message.counted);
        this.send({ kind: 'acknowledge-write', id: message.id, counted: message.counted });
        break;
      case 'acknowledge-write': {
        this.lead(message.counted);
        const index = this.pending.findIndex((one) => one.id === message.id);
        const [write] = index < 0 ? [] : this.pending.splice(index, 1);
        if (write !== undefined) this.answer(write);
        break;
      }
      case 'finish': {
        if (this.role !== 'secondary') return;
        if (this.refused()) {
          this.breakLink(0);
          return;
        }
        const { record, second } = message;
        this.durable.data = [...message.data];
        this.unsynced.clear();
        if (this.durable.record !== null)
          this.durable.record = this.together(resyncedTarget(this.durable.record, record));
        if (this.durable.second !== null && second !== null)
          this.durable.second = this.together(resyncedTarget(this.durable.second, second));
        this.send({ kind: 'acknowledge-finish' });
        this.changed();
        break;
      }
      case 'acknowledge-finish':
        if (this.role !== 'primary' || this.mode !== 'resynchronising') return;
        if (this.persist((old) => this.together(resyncedSource(old)))) this.becomeSynced();
        else this.breakLink(0);
        break;
      case 'clean':
        if (this.role !== 'secondary') return;
        if (!this.persist((old) => checkpointed(contactSettled(old, this.contacts), message.checkpoint))) {
          this.breakLink(0);
          return;
        }
        this.unsynced.clear();
        this.send({ kind: 'acknowledge-clean', checkpoint: message.checkpoint });
        break;
      case 'acknowledge-clean':
        this.unsynced.clear();
        this.cleanWaiter?.(this.persist((old) => checkpointed(old, message.checkpoint)));
        this.cleanWaiter = null;
        break;
    }
  }

  private follow(source: number | undefined): void {
    if (source === undefined) return;
    this.persist((old) => contactsFollow(contactSettled(old, this.contacts), source));
    this.changed();
  }
  private lead(told: number | undefined): void {
    if (told === undefined || this.role !== 'primary' || this.mode !== 'in-sync') return;
    this.persist((old) => contactsLead(old, told));
    this.changed();
  }

  /** Planned end: nothing is written any more; both agree that they are equal, if they are. */
  stop(done: (clean: boolean) => void): void {
    const finish = (clean: boolean): void => {
      this.forgetUnwritten();
      this.role = 'idle';
      this.mode = null;
      this.breakLink(0);
      this.changed();
      done(clean);
    };
    const isGood =
      this.failing === null && this.toldFailing === null && this.role === 'primary' && this.mode === 'in-sync';
    if (isGood && this.link !== null && this.pending.length === 0) {
      this.cleanWaiter = finish;
      const checkpoint = Math.floor(this.world.nowMs * 1000) + this.nextCheckpoint++;
      this.send({ kind: 'clean', checkpoint });
      this.world.at(acknowledgeTimeoutMs, () => {
        if (this.cleanWaiter !== finish) return;
        this.cleanWaiter = null;
        finish(false);
      });
    } else finish(false);
  }

  fence(): void {
    this.forgetUnwritten();
    this.pending = [];
    this.role = 'idle';
    this.mode = null;
    this.leaseUntilMs = 0;
    this.cleanWaiter = null;
    this.breakLink(0);
    this.changed();
  }

  cut(): void {
    this.leaseUntilMs = 0;
  }
}
