/** Two whole nodes, a witness, clients and people around one world. */
import type { stepMirror, MirrorIdentity, ModuleRecord, Timing, VoterState } from '../../agent/core/index.ts';
import { freshRecord, setBack } from '../../agent/core/index.ts';
import type { CheckerAction } from '../../agent/contract/index.ts';
import { faultDeed, networks, type Trouble } from './faults.ts';
import { Judges } from './judges.ts';
import { SimulatedNode, waitChecker, type NodePorts } from './node.ts';
import { Random } from './random.ts';
import type { Durable } from './replica.ts';
import type { PlannedFault } from './schedule.ts';
import { Seen } from './seen.ts';
import { SimulatedWitness } from './witness.ts';
import type { World } from './world.ts';

export interface ClusterOptions {
  readonly witness: boolean;
  readonly withoutWitness: MirrorIdentity['withoutWitness'];
  /** There is no witness that votes, and a router that answers pings. */
  readonly pingWitness: boolean;
  readonly timing: Timing;
  readonly rateError: number;
  readonly prefer: string | null;
  readonly failback: () => MirrorIdentity['failback'];
  readonly volumes: 1 | 2;
  readonly acknowledge: 'received' | 'durable';
  readonly checkers: { readonly application: CheckerAction; readonly surroundings: boolean };
  readonly stepMirror: typeof stepMirror;
}

/** H6, as by default. */
const restartLimit = { count: 3, windowMs: 24 * 3_600_000 } as const;
/** How often a person who has come to mend it looks again, and how long he lets the cluster try by itself. */
const attendMs = 5000;
const patienceMs = 20_000;

const orderEveryMs = 100;

/** Nobody opens a server and has it running again within the lease that it has granted. */
const mendMs = 6000;

interface Image {
  readonly record: ModuleRecord;
  readonly volume: Durable;
}

export class Simulation {
  readonly world: World;
  readonly nodes: readonly [SimulatedNode, SimulatedNode];
  readonly witness: SimulatedWitness;
  readonly judges: Judges;
  readonly seen = new Seen();
  private readonly options: ClusterOptions;
  private nextWrite = 1;
  private sent = 0;
  private readonly images = new Map<SimulatedNode, Image>();
  /** A copy was lost: the other one may have promised something newer, and wait for a person. */
  private copyLost = false;

  constructor(world: World, options: ClusterOptions) {
    this.world = world;
    this.options = options;
    const { timing, rateError } = options;
    const rate = (): number => 1 + world.random.between(-rateError, rateError);
    this.witness = new SimulatedWitness(world, timing.grantMs, rate(), (to, body) => {
      this.deliver('w', to, body);
    });
    this.nodes = [this.make('n1', 'n2', rate()), this.make('n2', 'n1', rate())];
    const [first, second] = this.nodes;
    first.replica.peer = second.replica;
    second.replica.peer = first.replica;
    for (const node of this.nodes) {
      node.replica.two = options.volumes === 2;
      node.acknowledgesMemory = options.acknowledge === 'received';
    }
    first.replica.initialise('uuid', { number: 1, id: 'first' });
    second.replica.initialise('uuid', null);
    this.judges = new Judges({
      world,
      nodes: this.nodes,
      witness: options.witness ? this.witness : null,
      router: options.pingWitness ? this.witness : null,
      restartLimit: restartLimit.count,
    });
  }

  private deliver(from: string, to: string, body: Parameters<NodePorts['send']>[1]): void {
    const paths = to === 'w' || from === 'w' ? (['lan'] as const) : networks;
    const order = (this.sent += 1);
    for (const network of paths)
      this.world.datagram(from, to, network, () => {
        if (to === 'w') this.witness.receive(from, body);
        else this.node(to).receive(from, body, network, order);
      });
  }

  private make(name: string, peer: string, clockRate: number): SimulatedNode {
    const { options, world } = this;
    const { application, surroundings } = options.checkers;
    const identity = {
      module: 'db',
      node: name,
      peer,
      prefer: options.prefer,
      failback: options.failback(),
      dependsOn: [],
      witness: options.witness,
      withoutWitness: options.withoutWitness,
      pingWitness: options.pingWitness ? 'w' : null,
      timing: options.timing,
      checkers: [
        { name: 'application', action: application, failures: 2, gracePeriodMs: 4000 },
        ...(surroundings ? [{ name: waitChecker, action: 'wait' as const, failures: 2, gracePeriodMs: 0 }] : []),
      ],
      restartLimit,
    };
    const pathUp = (from: string, to: string): boolean =>
      networks.some((one) => world.passes(from, to, one) && world.passes(to, from, one));
    return new SimulatedNode(name, identity, world, this.portsOf(name), clockRate, pathUp);
  }

  private portsOf(name: string): NodePorts {
    return {
      stepMirror: this.options.stepMirror,
      send: (to, body) => {
        this.deliver(name, to, body);
      },
      ping: (from, answered) => {
        this.world.datagram(from, 'w', 'lan', () => {
          if (this.witness.up) this.world.datagram('w', from, 'lan', answered);
        });
      },
      acts: (node, action) => {
        this.judges.beforeAction(node, action);
      },
      applicationStarted: (node) => {
        this.judges.applicationStarted(node);
      },
      stepped: (node, before, after, event) => {
        this.judges.stepped(node, before, after, event);
        const transition = this.seen.step(before, after);
        if (transition !== null) this.world.log(node.name, `${transition} [${after?.waiting.code ?? ''}]`);
      },
      powerLost: (node) => {
        this.judges.powerLost(node);
      },
      told: (node, event) => {
        this.seen.told(event);
        this.judges.told(node, event);
      },
    };
  }

  node(name: string): SimulatedNode {
    return name === 'n1' ? this.nodes[0] : this.nodes[1];
  }

  /** Writes go to whoever answers on the address, each acknowledged or not. */
  startClient(untilMs: number): void {
    const { world } = this;
    if (world.nowMs > untilMs) return;
    for (const node of this.nodes) {
      if (!node.serving() || node.frozen) continue;
      const id = this.nextWrite++;
      node.replica.write(id, () => {
        // The answer leaves through the address: the kernel has the last word.
        if (node.serving() && !node.frozen) this.judges.acknowledge(id);
      });
    }
    world.at(world.random.between(40, 120), () => {
      this.startClient(untilMs);
    });
  }

  trouble(fault: PlannedFault): void {
    this.judges.checkers.disturbed();
    const node = this.node(fault.node);
    const [first, second] = this.nodes;
    const trouble: Trouble = {
      world: this.world,
      random: new Random(fault.seed),
      node,
      other: node === first ? second : first,
      witness: this.witness,
      promote: (one) => {
        one.promote();
      },
      loseDisk: (one, withRecord) => {
        this.loseDisk(one, withRecord);
      },
      takeImage: (one) => {
        this.takeImage(one);
      },
      restoreImage: (one) => {
        this.restoreImage(one);
      },
    };
    faultDeed(fault.kind)?.(trouble);
  }

  /** The other copy must hold everything, or data is lost whatever anybody does. */
  private loseDisk(node: SimulatedNode, withRecord: boolean): void {
    const other = this.node(node.identity.peer);
    if (other.replica.durable.record?.copy !== 'up-to-date' || !this.judges.isWhole(other)) return;
    this.blank(node, withRecord);
    this.copyLost = true;
  }

  blank(node: SimulatedNode, withRecord: boolean): void {
    node.powerOff();
    node.replica.durable = { record: null, second: null, data: [] };
    node.replica.initialise('uuid', null);
    node.replica.mendDisk();
    if (withRecord) {
      node.record = { ...freshRecord(), wanted: 'started' };
      this.judges.checkers.forgotten(node.name);
    }
    this.world.at(mendMs, () => {
      node.powerOn();
    });
  }

  /** A person has chosen the other version: stopped, set aside, blank, started. What the node has promised stays on its disk. */
  setAside(node: SimulatedNode): void {
    node.command('stop');
    const whenStopped = (): void => {
      if (node.mirror?.phase.name !== 'stopped' || node.mirror.running) {
        this.world.at(orderEveryMs, whenStopped);
        return;
      }
      this.judges.chosen(this.node(node.identity.peer));
      this.judges.twoAllowed = this.options.withoutWitness === 'prefer-availability';
      node.replica.durable = { record: null, second: null, data: [] };
      node.replica.initialise('uuid', null);
      node.replica.fault = null;
      node.replica.changed();
      node.command('start');
    };
    whenStopped();
  }

  takeImage(node: SimulatedNode): void {
    const { durable } = node.replica;
    this.images.set(node, { record: node.record, volume: { ...durable, data: [...durable.data] } });
  }

  /**
   * An image is told from the present by its generation, or by the number of its meetings: one that is as new in both as what the other voters know would pass for it. Whoever
   * restores such a one and starts it first loses data.
   */
  restoreImage(node: SimulatedNode): boolean {
    const image = this.images.get(node);
    const other = this.node(node.identity.peer);
    if (image === undefined || other.replica.durable.record?.copy !== 'up-to-date' || !this.judges.isWhole(other))
      return false;
    const { generation, contacts } = image.volume.record ?? { generation: null };
    const isKnown = ({ newest, contacts: known }: Pick<VoterState, 'newest' | 'contacts'>): boolean =>
      newest !== null &&
      (newest.number > (generation?.number ?? 0) ||
        (generation !== null && setBack(generation, contacts === undefined ? {} : { uuid: contacts }, known)));
    if (![{ newest: this.witness.durable, contacts: this.witness.durableContacts }, other.record].every(isKnown))
      return false;
    this.setBack(node);
    this.copyLost = true;
    return true;
  }

  setBack(node: SimulatedNode): void {
    const image = this.images.get(node);
    if (image === undefined) throw new RangeError(`no image of ${node.name} was taken`);
    node.powerOff();
    node.record = { ...image.record, wanted: 'started' };
    node.replica.durable = { ...image.volume, data: [...image.volume.data] };
    this.world.at(mendMs, () => {
      node.powerOn();
    });
  }

  healEverything(): void {
    const { world } = this;
    world.log('judge', 'faults stop');
    world.healed = true;
    world.cuts.clear();
    world.lossProbability = 0;
    world.lateProbability = 0.03;
    if (!this.witness.up) this.witness.restart();
    for (const node of this.nodes) {
      node.crashProbability = 0;
      node.brokenUntilMs = 0;
      node.startFailsUntilMs = 0;
      node.lacksUntilMs = 0;
      node.mountFailsUntilMs = 0;
      node.diesMountingUntilMs = 0;
      node.unmountFailsUntilMs = 0;
      node.fenceFailsUntilMs = 0;
      node.replica.mendDisk();
      node.thaw();
      node.powerOn();
      // A person who pressed stop presses start again when he leaves.
      world.at(2000, () => {
        node.command('start');
        node.maintenance(false);
      });
    }
    world.at(patienceMs, () => {
      this.attend();
    });
  }

  /** A person who comes to mend it and does what the messages say. Where nothing was lost or ordered, nobody has to come. */
  private attend(): void {
    const { judges, world } = this;
    const needed = this.nodes.some((node) => /memory-lost|copies-torn|disk-failed/.test(node.describe()));
    if (!judges.ordered && !this.copyLost && !needed) return;
    if (this.nodes.every((node) => node.protected())) return;
    const waiting = this.nodes.filter((node) => node.mirror?.phase.name === 'wait');
    for (const node of waiting.filter(({ record }) => record.doubted?.retried === false)) node.command('start');
    // As `fork keep` does: what the version is set aside for has to be there.
    const hasOther = ({ identity }: SimulatedNode): boolean =>
      this.node(identity.peer).replica.durable.record?.copy === 'up-to-date';
    const forked = this.nodes.filter(
      (node) => node.replica.fault?.code === 'forked' && node.replica.role !== 'primary' && hasOther(node),
    );
    const [lost] = forked;
    if (judges.ordered && lost !== undefined && forked.length === 1) {
      world.log('person', `sets ${lost.name} up anew`);
      this.blank(lost, false);
    } else if (
      waiting.length === 2 &&
      waiting.some((node) => /copy-stale|memory-lost|copies-torn|disk-failed/.test(node.describe()))
    ) {
      const [best] = [...waiting].sort((a, b) => judges.worthOf(b) - judges.worthOf(a));
      world.log('person', `promotes ${best?.name ?? ''}`);
      best?.promote();
    }
    world.at(attendMs, () => {
      this.attend();
    });
  }
}
