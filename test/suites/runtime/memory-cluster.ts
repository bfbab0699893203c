/** Two whole runtimes and a witness in one process, on virtual time: everything is the product's own except the host below the ports. */
import type {
  ClusterRecord,
  CheckerDefinition,
  EventDraft,
  Finding,
  NodeStatus,
  TimelineEvent,
  VolumeRecord,
} from '../../../agent/contract/index.ts';
import type { ModuleRecord } from '../../../agent/core/index.ts';
import type { KernelFence, SealingKey } from '../../../agent/network/index.ts';
import { sealingKey } from '../../../agent/network/index.ts';
import { lineJournal } from '../../../agent/runtime/journal.ts';
import type { RuntimePorts } from '../../../agent/runtime/ports.ts';
import { Runtime } from '../../../agent/runtime/runtime.ts';
import { Witness } from '../../../agent/witness/index.ts';
import type { StoredVote } from '../../../agent/witness/witness-store.ts';
import { MemoryNetwork } from './memory-network.ts';
import type { MemoryReplicator } from './memory-replicator.ts';
import { MemoryReplicators } from './memory-replicator.ts';
import { VirtualTime } from './virtual-time.ts';

const secret = 'a secret that is long enough for a cluster key';
const clusterUuid = 'cluster-uuid';
const replicatorStartMs = 300;
export const vip = '10.0.0.50';
export const addressOf = { n1: '10.0.0.1', n2: '10.0.0.2', witness: '10.0.0.9' } as const;
export type NodeName = 'n1' | 'n2';
export const nodeNames: readonly NodeName[] = ['n1', 'n2'];
export const detectionMs = 3000;

interface Disk {
  readonly modules: Map<string, ModuleRecord>;
  readonly volumes: Map<string, VolumeRecord>;
  configuration: ClusterRecord | null;
}

/** What of a node goes away with its power. */
interface Life {
  readonly runtime: Runtime;
  readonly replicator: MemoryReplicator;
  readonly leased: Map<string, number>;
  /** The kernel's guards of applications, by module: the control group, and until when it may speak. */
  readonly guards: Map<string, { readonly groups: readonly bigint[]; readonly deadlineMs: number }>;
  readonly addresses: Set<string>;
  readonly bootId: string;
}

export class MemoryNode {
  readonly name: NodeName;
  readonly disk: Disk = { modules: new Map(), volumes: new Map(), configuration: null };
  readonly events: TimelineEvent[] = [];
  readonly scripts: string[] = [];
  readonly journal: string[] = [];
  application = false;
  /** Of its control group; another one at every start. */
  applicationGroup = 0n;
  /** What its checkers find while the application runs; null: it is well. */
  finding: Finding | null = null;
  failScript: string | null = null;
  serviceManagerHangs = false;
  life: Life | null = null;

  constructor(name: NodeName) {
    this.name = name;
  }
}

export class MemoryCluster {
  readonly time = new VirtualTime();
  readonly network = new MemoryNetwork();
  readonly nodes: Readonly<Record<NodeName, MemoryNode>> = { n1: new MemoryNode('n1'), n2: new MemoryNode('n2') };
  readonly replicators: MemoryReplicators;
  readonly key: SealingKey = sealingKey(clusterUuid, secret);
  private readonly votes = new Map<string, StoredVote>();
  private witness: Witness | null = null;
  private boots = 0;
  /** Not null: in place of the witness there is a router that answers pings, and this policy. */
  pingWitness: ClusterRecord['withoutWitness'] | null = null;
  /** Between the replicators, whatever is cut between the agents. */
  linkStands = false;
  private readonly withWitness: boolean;
  private readonly checkers: CheckerDefinition[];

  constructor(withWitness = true, checkers: readonly CheckerDefinition[] = []) {
    this.checkers = [...checkers];
    this.withWitness = withWitness;
    this.replicators = new MemoryReplicators(
      this.time,
      () =>
        (this.linkStands ||
          this.replicators.frozen.size > 0 ||
          (this.network.reaches(addressOf.n1, addressOf.n2) && this.network.reaches(addressOf.n2, addressOf.n1))) &&
        this.nodes.n1.life !== null &&
        this.nodes.n2.life !== null,
    );
  }

  get record(): ClusterRecord {
    const script = (command: string) => ({ command, timeoutMs: 5000 });
    return {
      format: 1,
      revision: 1,
      cluster: 'site',
      clusterUuid,
      nodes: nodeNames.map((name) => ({ name, addresses: [addressOf[name]] })),
      networks: [{ name: 'lan', subnet: '10.0.0.0/24' }],
      witness: this.withWitness && this.pingWitness === null ? { address: addressOf.witness, port: 7413 } : null,
      pingWitness: this.pingWitness === null ? null : addressOf.witness,
      withoutWitness: this.pingWitness ?? 'prefer-one-copy',
      detectionMs,
      modules: [
        {
          name: 'db',
          prefer: 'n1',
          failback: 'manual',
          dependsOn: [],
          volumes: [{ id: 'db/0', path: '/data/db', volumeUuid: 'volume' }],
          cache: 'none',
          acknowledge: 'durable',
          vips: [{ address: vip, prefixLength: 24, interface: null }],
          scripts: {
            prestart: null,
            start: script('systemctl start app'),
            stop: script('stop'),
            poststop: null,
            forceStop: script('force'),
            transition: null,
          },
          checkers: this.checkers,
          restartLimit: { count: 2, windowMs: 3_600_000 },
        },
      ],
    };
  }

  async startWitness(): Promise<void> {
    this.witness = await Witness.start(
      {
        secrets: { clusters: 1, find: (id: Buffer) => (id.equals(this.key.id) ? this.key : null) } as never,
        store: {
          load: async () => [...this.votes.values()],
          save: async (cluster, module, { newest, contacts, leaseMs }) => {
            this.votes.set(`${cluster} ${module}`, { format: 1, cluster, module, newest, contacts, leaseMs });
          },
        },
        open: this.network.open,
        nowMs: () => this.time.nowMs,
        session: `witness-${++this.boots}`,
        journal: lineJournal(() => undefined, false),
      },
      { address: addressOf.witness, port: 7413 },
    );
  }
  stopWitness(): void {
    this.witness?.[Symbol.dispose]();
    this.witness = null;
  }

  /** Power on: the runtime finds what its disk has. */
  async boot(name: NodeName): Promise<void> {
    await this.startAgent(name, `boot-${++this.boots}`, null);
  }

  /** The agent alone goes and comes back: the host below it stays as it is. */
  async restartAgent(name: NodeName): Promise<void> {
    const { life } = this.nodes[name];
    if (life === null) return;
    life.runtime.stop();
    await this.startAgent(name, life.bootId, life);
  }

  powerOff(name: NodeName): void {
    const node = this.nodes[name];
    node.life?.runtime.stop();
    node.life = null;
    node.application = false;
    this.network.unplug(addressOf[name]);
    this.time.forget(name);
    this.replicators.powerOff(name);
  }

  /** Userland stops; timed sets of the kernel run out by themselves. */
  freeze(name: NodeName): void {
    this.time.freeze(name);
    this.replicators.frozen.add(name);
    for (const other of [...nodeNames, 'witness' as const])
      if (other !== name) this.network.setCut(addressOf[other], addressOf[name], true);
    this.replicators.contact();
  }
  thaw(name: NodeName): void {
    for (const other of [...nodeNames, 'witness' as const])
      if (other !== name) this.network.setCut(addressOf[other], addressOf[name], false);
    this.time.thaw(name);
    this.replicators.frozen.delete(name);
    this.replicators.contact();
  }
  cut(from: keyof typeof addressOf, to: keyof typeof addressOf, cut = true): void {
    this.network.setCut(addressOf[from], addressOf[to], cut);
    this.replicators.contact();
  }

  async advance(ms: number): Promise<void> {
    await this.time.advance(ms, () => this.judge());
  }
  /** Virtual milliseconds until the fact; fails after `patienceMs`. */
  async until(what: string, fact: () => boolean, patienceMs = 30_000): Promise<number> {
    const from = this.time.nowMs;
    while (!fact()) {
      if (this.time.nowMs - from > patienceMs)
        throw new Error(`did not happen in ${patienceMs} ms: ${what}\n${this.report()}`);
      await this.advance(50);
    }
    return this.time.nowMs - from;
  }

  status(name: NodeName): NodeStatus | null {
    return this.nodes[name].life?.runtime.status() ?? null;
  }
  own(name: NodeName): string {
    const own = this.status(name)?.modules[0]?.own;
    return own === undefined ? 'off' : `${own.state} ${own.data}`;
  }
  isProtected(): boolean {
    return nodeNames.some((name) => this.status(name)?.modules[0]?.protected === true);
  }
  /** The virtual address answers there: raised, and let through by the kernel at this instant. */
  answers(name: NodeName): boolean {
    const { life } = this.nodes[name];
    return life !== null && life.addresses.has(vip) && (life.leased.get(vip) ?? 0) > this.time.nowMs;
  }
  /** A write would be acknowledged there. */
  writes(name: NodeName): boolean {
    const node = this.nodes[name];
    const volume = node.life?.replicator.volumes.get('db/0')?.status;
    return (
      node.application &&
      volume?.role === 'primary' &&
      volume.mode !== 'undecided' &&
      (node.life?.replicator.leases.get('db') ?? 0) > this.time.nowMs
    );
  }
  /** The application reaches others by connections of its own. */
  speaks(name: NodeName): boolean {
    const { application, applicationGroup, life } = this.nodes[name];
    const guard = life?.guards.get('db');
    const cut = guard?.groups.includes(applicationGroup) === true && guard.deadlineMs <= this.time.nowMs;
    return application && !cut;
  }
  report(): string {
    return nodeNames
      .map((name) => {
        const volume = JSON.stringify(this.nodes[name].life?.replicator.volumes.get('db/0')?.status ?? null);
        const record = JSON.stringify(this.nodes[name].disk.modules.get('db'));
        return `${name}: ${this.own(name)} ${volume}\n  ${record}\n  ${this.nodes[name].journal.slice(-12).join('  ')}`;
      })
      .join('\n');
  }

  /** Checked at every instant of every story. */
  private judge(): void {
    if (nodeNames.every((name) => this.answers(name))) throw new Error(`both answer for the address\n${this.report()}`);
    if (nodeNames.every((name) => this.speaks(name)))
      throw new Error(`both applications reach others\n${this.report()}`);
    if (nodeNames.every((name) => this.writes(name))) throw new Error(`both acknowledge writes\n${this.report()}`);
  }

  private async startAgent(name: NodeName, bootId: string, former: Life | null): Promise<void> {
    const node = this.nodes[name];
    const replicator = former?.replicator ?? this.replicators.boot(name, node.disk.volumes);
    replicator.agree = (id, checkpoint) => {
      const other = this.nodes[name === 'n1' ? 'n2' : 'n1'].life?.replicator;
      const volume = other?.volumes.get(id);
      if (volume !== undefined) other?.record(volume, { cleanCheckpoint: checkpoint });
    };
    const leased = former?.leased ?? new Map<string, number>();
    const guards = former?.guards ?? new Map<string, { groups: readonly bigint[]; deadlineMs: number }>();
    const addresses = former?.addresses ?? new Set<string>();
    const runtime = new Runtime(this.hostPorts(node, bootId, replicator, { leased, guards, addresses }));
    node.life = { runtime, replicator, leased, guards, addresses, bootId };
    await runtime.start();
  }

  private hostPorts(
    node: MemoryNode,
    bootId: string,
    replicator: MemoryReplicator,
    { leased, guards, addresses }: Pick<Life, 'leased' | 'guards' | 'addresses'>,
  ): RuntimePorts {
    const { time } = this;
    const fence: KernelFence = {
      manage: async () => undefined,
      extend: async (all, deadlineMs) => all.forEach((one) => leased.set(one, deadlineMs)),
      guard: async (module, groups, deadlineMs) => {
        if (groups.length === 0) guards.delete(module);
        else guards.set(module, { groups, deadlineMs: deadlineMs ?? guards.get(module)?.deadlineMs ?? time.nowMs });
      },
      condemn: async () => undefined,
      settle: async () => undefined,
      guardObstacle: () => null,
      cut: async (all) => all.forEach((one) => leased.delete(one)),
      check: async () => false,
      remove: async () => leased.clear(),
    };
    return {
      node: node.name,
      agentVersion: '1.2.3',
      bootId,
      clock: { bootMs: () => time.nowMs, wallMs: () => 1_800_000_000_000 + time.nowMs },
      timers: time.timersOf(node.name),
      randomId: () => `${node.name}-${++this.boots}`,
      journal: lineJournal((text) => node.journal.push(text), false),
      modules: {
        load: async (module) => node.disk.modules.get(module) ?? null,
        save: async (module, record) => void node.disk.modules.set(module, record),
        remove: async (module) => void node.disk.modules.delete(module),
      },
      events: {
        append: (draft: EventDraft) => {
          const event = {
            at: new Date(time.nowMs).toISOString(),
            node: node.name,
            sequence: node.events.length + 1,
            ...draft,
          };
          node.events.push(event);
          return event;
        },
        after: async (sequence, limit) => node.events.filter((one) => one.sequence > sequence).slice(0, limit),
        newestAfter: async (sequence, limit) => node.events.filter((one) => one.sequence > sequence).slice(-limit),
      },
      configuration: {
        load: async () => node.disk.configuration,
        save: async (record) => void (node.disk.configuration = record),
        remove: async () => void (node.disk.configuration = null),
        secret: async () => secret,
      },
      openDatagrams: this.network.open,
      openEcho: () => this.network.openEcho(addressOf[node.name], addressOf.witness),
      fence,
      vip: {
        raise: async ({ address }) => void addresses.add(address),
        drop: async (address) => void addresses.delete(address),
        present: async (address) => addresses.has(address),
      },
      scripts: {
        run: async ({ script }) => {
          node.scripts.push(script);
          if (node.failScript === script) throw new Error(`the ${script} script failed`);
          if (script === 'start') {
            node.application = true;
            node.applicationGroup += 1n;
          }
          if (script === 'stop' || script === 'forceStop') node.application = false;
        },
        killLeftovers: async () => [],
        leftovers: async () => [],
        learn: () => (node.serviceManagerHangs ? new Promise(() => undefined) : Promise.resolve()),
        knows: () => !node.serviceManagerHangs,
        groups: () => (node.application ? [node.applicationGroup] : []),
        killApplication: async () => {
          node.application = false;
          return [];
        },
        boundOutputs: async () => undefined,
      },
      checkers: () => ({
        look: () =>
          Promise.resolve(
            node.application ? (node.finding ?? { code: 'good', found: '' }) : { code: 'not-running', found: '' },
          ),
      }),
      replicator,
      rescue: {
        abortMounts: async () => undefined,
        killHolders: async () => [],
        endReplicator: async () => {
          replicator.crash();
          this.time.after(replicatorStartMs, node.name, () => replicator.comeBack());
          return 'killed';
        },
      },
      reset: async (because) => {
        throw new Error(`reset: ${because}`);
      },
      halt: (because) => {
        throw new Error(`halted: ${because}`);
      },
    };
  }
}

/** Both nodes configured, n1 has the good data, everything started and protected. */
export async function protectedCluster(
  withWitness = true,
  checkers: readonly CheckerDefinition[] = [],
  pingWitness: ClusterRecord['withoutWitness'] | null = null,
): Promise<MemoryCluster> {
  const cluster = new MemoryCluster(withWitness, checkers);
  cluster.pingWitness = pingWitness;
  if (withWitness && pingWitness === null) await cluster.startWitness();
  for (const name of nodeNames) {
    await cluster.boot(name);
    await cluster.nodes[name].life?.runtime.configure(cluster.record);
  }
  for (const name of nodeNames)
    await cluster.nodes[name].life?.runtime.initialise({
      module: 'db',
      as: name === 'n1' ? 'good' : 'blank',
      keepAside: true,
      replaceRecord: false,
    });
  for (const name of nodeNames) await cluster.nodes[name].life?.runtime.command('db', { name: 'start' });
  await cluster.until('the cluster is protected', () => cluster.isProtected());
  return cluster;
}
