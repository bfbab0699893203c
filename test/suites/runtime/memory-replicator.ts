/**
 * The replicator's side of `replicatorApi` for two nodes without any data: roles, modes, lineage and leases behave as documented
 * in docs/replication.md, bytes are left out.
 */
import type { ReplicatorApi, VolumeRecord, VolumeStatus } from '../../../agent/contract/index.ts';
import { Fault } from '../../../agent/contract/index.ts';
import type { Params, Result } from '../../../agent/contract/index.ts';
import { replicatorSilenceMs } from '../../../agent/core/index.ts';
import type { ReplicatorPort, Silence } from '../../../agent/runtime/ports.ts';
import type { VirtualTime } from './virtual-time.ts';

const resyncMs = 400;

interface Volume {
  status: VolumeStatus;
  module: string;
}

export class MemoryReplicators {
  private readonly nodes = new Map<string, MemoryReplicator>();
  private readonly time: VirtualTime;
  private readonly linked: () => boolean;

  constructor(time: VirtualTime, linked: () => boolean) {
    this.time = time;
    this.linked = linked;
  }

  boot(node: string, records: Map<string, VolumeRecord>): MemoryReplicator {
    const replicator = new MemoryReplicator(records, () => this.contact());
    this.nodes.set(node, replicator);
    return replicator;
  }
  powerOff(node: string): void {
    this.nodes.delete(node);
    this.contact();
  }

  /** A frozen node's processes notice nothing and do nothing; the other side's connection stays open, silent. */
  readonly frozen = new Set<string>();

  /** Brings every volume's link into agreement with roles and cables. */
  contact(): void {
    for (const [name, node] of this.nodes) {
      if (this.frozen.has(name)) continue;
      for (const volume of node.volumes.values()) {
        const { status } = volume;
        if (status.role !== 'primary') continue;
        const target = this.partnerOf(node, status.id);
        const up = this.linked() && target?.status.role === 'secondary';
        if (!up && status.link === 'up') {
          node.change(volume, { link: 'down', mode: status.mode === 'alone' ? 'alone' : 'undecided' });
        } else if (up && status.link === 'down' && this.frozen.size === 0) this.connect(node, volume, target);
      }
    }
    for (const [name, node] of this.nodes) {
      if (this.frozen.has(name)) continue;
      for (const volume of node.volumes.values())
        if (volume.status.role === 'secondary') {
          const source = this.partnerOf(node, volume.status.id);
          const up = source?.status.role === 'primary' && source.status.link === 'up';
          if ((volume.status.link === 'up') !== up) node.change(volume, { link: up ? 'up' : 'down' });
        }
    }
  }

  private partnerOf(node: MemoryReplicator, id: string): Volume | undefined {
    return [...this.nodes.values()].find((one) => one !== node)?.volumes.get(id);
  }
  private ownerOf(volume: Volume): MemoryReplicator | undefined {
    return [...this.nodes.values()].find((one) => one.volumes.get(volume.status.id) === volume);
  }

  private connect(node: MemoryReplicator, source: Volume, target: Volume): void {
    const mine = source.status.record;
    const theirs = target.status.record;
    const generation = mine?.generation ?? null;
    if (mine === null || generation === null || theirs === null) return;
    const equal =
      theirs.generation?.id === generation.id &&
      theirs.copy === 'up-to-date' &&
      mine.cleanCheckpoint !== null &&
      mine.cleanCheckpoint === theirs.cleanCheckpoint;
    const other = this.ownerOf(target);
    node.change(source, { link: 'up', mode: equal ? 'in-sync' : 'resynchronising' });
    node.record(source, { cleanCheckpoint: null });
    other?.record(target, { cleanCheckpoint: null, ...(equal ? {} : { copy: 'stale' as const }) });
    if (!equal)
      this.time.after(resyncMs, 'replication', () => {
        if (source.status.mode !== 'resynchronising' || source.status.link !== 'up') return;
        const now = source.status.record;
        if (now === null) return;
        other?.record(target, { generation: now.generation, history: now.history, copy: 'up-to-date' });
        node.record(source, { peerStale: false });
        node.change(source, { mode: 'in-sync' });
        this.contact();
      });
  }
}

export class MemoryReplicator implements ReplicatorPort {
  readonly volumes = new Map<string, Volume>();
  readonly leases = new Map<string, number>();
  private readonly records: Map<string, VolumeRecord>;
  private readonly contact: () => void;
  private listener: (volumes: ReadonlyMap<string, VolumeStatus> | null) => void = () => undefined;
  private silent: (silence: Silence) => void = () => undefined;
  private reachable = true;
  private hanging = false;
  private readonly waiting: ((error: Error) => void)[] = [];
  private checkpoint = 0;

  constructor(records: Map<string, VolumeRecord>, contact: () => void) {
    this.records = records;
    this.contact = contact;
  }

  onVolumes(listener: (volumes: ReadonlyMap<string, VolumeStatus> | null) => void): void {
    this.listener = listener;
  }
  onSilent(listener: (silence: Silence) => void): void {
    this.silent = listener;
  }
  close(): void {
    this.listener = () => undefined;
    this.silent = () => undefined;
  }
  /** It is there, and neither says nor does anything. What notices that is the connection's business. */
  hang(): void {
    this.hanging = true;
  }
  fallSilent(): void {
    if (this.hanging) this.silent({ lasts: () => this.hanging, ms: () => replicatorSilenceMs });
  }
  /** The process dies and comes back: mounts are gone, records stay. */
  crash(): void {
    for (const volume of this.volumes.values())
      volume.status = { ...volume.status, role: 'idle', mode: null, link: 'down' };
    this.reachable = false;
    this.hanging = false;
    this.leases.clear();
    this.listener(null);
    for (const reject of this.waiting.splice(0)) reject(new Fault('connection-lost', { message: 'It has ended.' }));
    this.contact();
  }
  comeBack(): void {
    this.reachable = true;
    this.tell();
  }

  async configure(configuration: Params<ReplicatorApi, 'configure'> | null): Promise<void> {
    for (const { id, module, path } of configuration?.volumes ?? [])
      if (!this.volumes.has(id))
        this.volumes.set(id, {
          module,
          status: {
            id,
            path,
            record: this.records.get(id) ?? null,
            role: 'idle',
            mode: null,
            link: 'down',
            resync: null,
            fault: null,
          },
        });
    this.tell();
  }

  change(volume: Volume, change: Partial<VolumeStatus>): void {
    volume.status = { ...volume.status, ...change };
    this.tell();
  }
  record(volume: Volume, change: Partial<VolumeRecord>): void {
    const { record, id } = volume.status;
    if (record === null) return;
    const next = { ...record, ...change };
    this.records.set(id, next);
    this.change(volume, { record: next });
  }

  call: ReplicatorPort['call'] = async (method, params, signal) => {
    if (!this.reachable) throw new Fault('replicator-down', { message: 'The replicator is away.' });
    if (this.hanging)
      return await new Promise<never>((_, reject) => {
        this.waiting.push(reject);
        signal?.addEventListener('abort', () => reject(signal.reason as Error));
      });
    const answer = this.perform(method, params as never);
    this.contact();
    return answer as Result<ReplicatorApi, typeof method>;
  };

  private perform(method: keyof ReplicatorApi['methods'], params: Record<string, never>): unknown {
    if (method === 'setLease') {
      this.leases.set(params['module'] as unknown as string, params['deadlineMs'] as unknown as number);
      return null;
    }
    if (method === 'status') return [...this.volumes.values()].map((one) => one.status);
    if (method === 'metrics')
      return [...this.volumes.values()].map(({ status }) => ({ volume: status.id, link: null, primary: null }));
    const volume = this.volumes.get(params['volume'] as unknown as string);
    if (volume === undefined) throw new Fault('unknown-volume', { message: 'There is no such volume.' });
    const { status } = volume;
    switch (method) {
      case 'initialise': {
        const { as, generation } = params as unknown as Params<ReplicatorApi, 'initialise'>;
        const record: VolumeRecord = {
          format: 1,
          volumeUuid: 'volume',
          generation,
          history: [],
          copy: as === 'good' ? 'up-to-date' : 'stale',
          peerStale: as === 'good',
          cleanCheckpoint: null,
        };
        this.records.set(status.id, record);
        this.change(volume, { record });
        return { keptAt: null };
      }
      case 'serveSecondary':
        this.change(volume, { role: 'secondary', mode: null });
        return null;
      case 'servePrimary':
        this.change(volume, { role: 'primary', mode: 'undecided', link: 'down' });
        return null;
      case 'goAlone': {
        const { generation } = params as unknown as Params<ReplicatorApi, 'goAlone'>;
        // Whatever the link does meanwhile: voters were promised this generation, so it is written and the peer is stale.
        if (status.role === 'primary' && status.record !== null && status.record.generation?.id !== generation.id) {
          const former = status.record.generation;
          this.change(volume, { mode: 'alone', link: 'down' });
          this.record(volume, {
            generation,
            history: former === null ? [] : [former.id, ...status.record.history],
            copy: 'up-to-date',
            peerStale: true,
            cleanCheckpoint: null,
          });
        }
        return null;
      }
      case 'stop':
        return this.stop(volume);
      case 'fence':
        this.change(volume, { role: 'idle', mode: null, link: 'down' });
        return { killedPids: [] };
      case 'release':
        this.records.delete(status.id);
        this.volumes.delete(status.id);
        return null;
      default:
        throw new Fault('unknown-method', { message: method });
    }
  }

  private stop(volume: Volume): { clean: boolean } {
    const clean = volume.status.role === 'primary' && volume.status.mode === 'in-sync';
    if (clean) {
      this.checkpoint += 1;
      this.record(volume, { cleanCheckpoint: this.checkpoint });
      this.agree(volume.status.id, this.checkpoint);
    }
    this.change(volume, { role: 'idle', mode: null, link: 'down' });
    return { clean };
  }
  /** Set by the cluster: the other copy's record of the same checkpoint. */
  agree: (id: string, checkpoint: number) => void = () => undefined;

  private dated(status: VolumeStatus): VolumeStatus {
    if (status.role !== 'primary') return status;
    return { ...status, answersUntilMs: this.leases.get(status.id.split('/')[0] ?? '') ?? 0 };
  }
  private tell(): void {
    if (this.reachable && !this.hanging)
      this.listener(new Map([...this.volumes].map(([id, { status }]) => [id, this.dated(status)])));
  }
}
