/** One seed: a cluster, faults at random, judges after every step. */
import { stepMirror, timingFor } from '../../agent/core/index.ts';
import { Judge } from './checker-judge.ts';
import { SimulatedNode, waitChecker, type NodePorts } from './node.ts';
import { Random } from './random.ts';
import { SimulatedWitness } from './witness.ts';
import { World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly trace: boolean;
  /** A deliberately broken core, to judge the judges. */
  readonly stepMirror?: typeof stepMirror;
}

export interface RunResult {
  readonly seed: number;
  readonly failure: string | null;
  readonly trace: readonly string[];
  readonly faults: Readonly<Record<string, number>>;
  readonly transitions: ReadonlySet<string>;
  readonly acknowledgedWrites: number;
  readonly failovers: number;
}

const networks = ['lan', 'sync'] as const;
const faultPeriodMs = 60_000;
const healMs = 90_000;

/** H6, as by default. */
const restartLimit = { count: 3, windowMs: 24 * 3_600_000 } as const;

class Breach extends Error {}

export function run(options: RunOptions): RunResult {
  const random = new Random(options.seed);
  const world = new World(random);
  world.tracing = options.trace;
  const simulation = new Simulation(world, random, options.stepMirror ?? stepMirror);
  let failure: string | null = null;
  try {
    simulation.play();
  } catch (error) {
    failure =
      error instanceof Error
        ? error instanceof Breach
          ? error.message
          : (error.stack ?? error.message)
        : String(error);
    world.log('judge', failure);
  }
  return {
    seed: options.seed,
    failure,
    trace: world.trace,
    faults: world.faults,
    transitions: simulation.transitions,
    acknowledgedWrites: simulation.acknowledged.size,
    failovers: simulation.failovers,
  };
}

class Simulation {
  readonly acknowledged = new Set<number>();
  readonly transitions = new Set<string>();
  failovers = 0;
  private readonly world: World;
  private readonly random: Random;
  private readonly nodes: readonly [SimulatedNode, SimulatedNode];
  private readonly witness: SimulatedWitness;
  private readonly withWitness: boolean;
  private nextWrite = 1;
  private lastWriteMs = 0;
  private lastServing: string | null = null;
  private ordered = false;
  private readonly checkerJudge = new Judge(restartLimit.count);

  constructor(world: World, random: Random, step: typeof stepMirror) {
    this.world = world;
    this.random = random;
    this.withWitness = !random.chance(0.2);
    // 10 % off, with the leases computed for it: production assumes 0.1 %.
    const rateError = random.chance(0.5) ? 0.1 : 0.001;
    const timing = timingFor(3000, rateError);
    const deliver = (from: string, to: string, body: Parameters<NodePorts['send']>[1]): void => {
      const paths = to === 'w' || from === 'w' ? ['lan'] : [...networks];
      for (const network of paths) {
        world.datagram(from, to, network, () => {
          if (to === 'w') this.witness.receive(from, body);
          else this.node(to).receive(from, body, network);
        });
      }
    };
    this.witness = new SimulatedWitness(
      world,
      timing.grantMs,
      1 + random.between(-rateError, rateError),
      (to, body) => {
        deliver('w', to, body);
      },
    );
    const pathUp = (from: string, to: string): boolean =>
      networks.some((network) => world.passes(from, to, network) && world.passes(to, from, network));
    const prefer = random.pick([null, 'n1', 'n2']);
    const action = random.pick(['restart', 'stop-start', 'failover'] as const);
    const checkers = [
      { name: 'application', action, failures: 2, gracePeriodMs: 4000 },
      ...(random.chance(0.3) ? [{ name: waitChecker, action: 'wait' as const, failures: 2, gracePeriodMs: 0 }] : []),
    ];
    const make = (name: string, peer: string): SimulatedNode =>
      new SimulatedNode(
        name,
        {
          module: 'db',
          node: name,
          peer,
          prefer,
          failback: random.chance(0.3) ? 'automatic' : 'manual',
          witness: this.withWitness,
          withoutWitness: 'prefer-one-copy',
          timing,
          checkers,
          restartLimit,
        },
        world,
        {
          send: (to, body) => {
            deliver(name, to, body);
          },
          applicationStarted: (node) => {
            this.judgeCopy(node);
          },
          stepped: (node, before, after) => {
            const from = before.phase.name + (before.seek === null ? '' : '+seek');
            const to = after.phase.name + (after.seek === null ? '' : '+seek');
            if (from !== to) {
              this.transitions.add(`${from} → ${to}`);
              world.log(node.name, `${from} → ${to} [${after.waiting.code}]`);
            }
          },
          told: (node, event) => {
            const breach = this.checkerJudge.told(node.name, node.record.maintenance, event);
            if (breach !== null) throw new Breach(breach);
          },
          stepMirror: step,
        },
        1 + random.between(-rateError, rateError),
        pathUp,
      );
    this.nodes = [make('n1', 'n2'), make('n2', 'n1')];
    const [first, second] = this.nodes;
    first.replica.peer = second.replica;
    second.replica.peer = first.replica;
    first.replica.initialise('uuid', { number: 1, id: 'first' });
    second.replica.initialise('uuid', null);
    for (const node of this.nodes) {
      node.record = { ...node.record, wanted: 'started' };
      node.crashProbability = random.chance(0.5) ? 0.0005 : 0;
    }
    world.lossProbability = random.chance(0.3) ? 0.1 : 0;
  }

  private node(name: string): SimulatedNode {
    return name === 'n1' ? this.nodes[0] : this.nodes[1];
  }

  play(): void {
    const { world } = this;
    for (const node of this.nodes)
      world.at(this.random.between(0, 3000), () => {
        node.powerOn();
      });
    this.client();
    const firstFaultMs = this.random.between(0, 20_000);
    this.lastWriteMs = firstFaultMs + faultPeriodMs + healMs - 8000;
    world.at(firstFaultMs, () => {
      this.nextFault(firstFaultMs + faultPeriodMs);
    });
    const judge = (): void => {
      this.judgeSafety();
    };
    world.runUntil(firstFaultMs + faultPeriodMs, judge);
    this.healEverything();
    world.runUntil(firstFaultMs + faultPeriodMs + healMs, judge);
    this.judgeLiveness();
  }

  /** Writes go to whoever answers on the address, each acknowledged or not. */
  private client(): void {
    const { world } = this;
    if (world.nowMs > this.lastWriteMs) return;
    for (const node of this.nodes) {
      if (!node.serving() || node.frozen) continue;
      const id = this.nextWrite++;
      node.replica.write(id, () => {
        // The answer leaves through the address: the kernel has the last word.
        if (node.serving() && !node.frozen) this.acknowledged.add(id);
      });
    }
    world.at(this.random.between(40, 120), () => {
      this.client();
    });
  }

  private nextFault(untilMs: number): void {
    const { world } = this;
    if (world.nowMs >= untilMs) return;
    this.fault();
    world.at(this.random.chance(0.3) ? this.random.between(1, 500) : this.random.between(500, 9000), () => {
      this.nextFault(untilMs);
    });
  }

  private fault(): void {
    const { world, random } = this;
    const node = random.pick(this.nodes);
    const inject = (name: string, action: () => void): void => {
      this.checkerJudge.disturbed();
      world.count(name);
      world.log('fault', `${name} ${node.name}`);
      action();
    };
    const later = (lowMs: number, highMs: number, action: () => void): void => {
      world.at(random.between(lowMs, highMs), action);
    };
    const faults: (() => void)[] = [
      () => {
        inject('power-off', () => {
          node.powerOff();
          later(500, 15_000, () => {
            node.powerOn();
          });
        });
      },
      () => {
        inject('power-off-both', () => {
          for (const one of this.nodes) {
            one.powerOff();
            later(500, 20_000, () => {
              one.powerOn();
            });
          }
        });
      },
      () => {
        inject('freeze', () => {
          node.freeze();
          later(200, 9000, () => {
            node.thaw();
          });
        });
      },
      () => {
        inject('kill-control-plane', () => {
          node.killControlPlane();
        });
      },
      () => {
        inject('kill-replicator', () => {
          node.killReplicator();
        });
      },
      () => {
        inject('cut-peer', () => {
          this.cut(['n1>n2', 'n2>n1'], networks, 200, 12_000);
        });
      },
      () => {
        inject('cut-one-network', () => {
          this.cut(['n1>n2', 'n2>n1'], [random.pick(networks)], 200, 20_000);
        });
      },
      () => {
        inject('cut-one-way', () => {
          this.cut([random.pick(['n1>n2', 'n2>n1'])], networks, 200, 12_000);
        });
      },
      () => {
        inject('isolate', () => {
          this.cut(
            [
              `${node.name}>n1`,
              `${node.name}>n2`,
              `${node.name}>w`,
              `n1>${node.name}`,
              `n2>${node.name}`,
              `w>${node.name}`,
            ],
            networks,
            200,
            12_000,
          );
        });
      },
      () => {
        inject('cut-witness', () => {
          this.cut([`${node.name}>w`, `w>${node.name}`], ['lan'], 200, 20_000);
        });
      },
      () => {
        inject('witness-restart', () => {
          this.witness.up = false;
          later(10, random.chance(0.5) ? 400 : 10_000, () => {
            this.witness.restart();
          });
        });
      },
      () => {
        inject('swap', () => {
          node.command('swap');
        });
      },
      () => {
        inject('restart', () => {
          node.command('restart');
        });
      },
      () => {
        inject('stop-start', () => {
          for (const one of this.nodes) one.command('stop');
          later(100, 8000, () => {
            for (const one of this.nodes) one.command('start');
          });
        });
      },
      () => {
        inject('application-crashes', () => {
          node.crashed = true;
        });
      },
      () => {
        inject('application-broken', () => {
          node.brokenUntilMs = world.nowMs + random.between(1000, 40_000);
        });
      },
      () => {
        inject('application-broken-everywhere', () => {
          for (const one of this.nodes) one.brokenUntilMs = world.nowMs + random.between(1000, 60_000);
        });
      },
      () => {
        inject('start-fails', () => {
          node.startFailsUntilMs = world.nowMs + random.between(1000, 20_000);
          node.crashed = true;
        });
      },
      () => {
        inject('start-fails-everywhere', () => {
          for (const one of this.nodes) {
            one.startFailsUntilMs = world.nowMs + random.between(10_000, 30_000);
            one.crashed = true;
          }
        });
      },
      () => {
        inject('surroundings-missing', () => {
          node.lacksUntilMs = world.nowMs + random.between(1000, 20_000);
        });
      },
      () => {
        inject('maintenance', () => {
          for (const one of this.nodes) one.maintenance(true);
          later(500, 10_000, () => {
            for (const one of this.nodes) one.maintenance(false);
          });
        });
      },
    ];
    random.pick(faults)();
  }

  private cut(directions: readonly string[], on: readonly string[], lowMs: number, highMs: number): void {
    const names = directions.flatMap((direction) => on.map((network) => `${direction}/${network}`));
    for (const name of names) this.world.cuts.add(name);
    this.world.at(this.random.between(lowMs, highMs), () => {
      for (const name of names) this.world.cuts.delete(name);
    });
  }

  private healEverything(): void {
    const { world } = this;
    world.log('judge', 'faults stop');
    world.cuts.clear();
    world.lossProbability = 0;
    if (!this.witness.up) this.witness.restart();
    for (const node of this.nodes) {
      node.crashProbability = 0;
      node.brokenUntilMs = 0;
      node.startFailsUntilMs = 0;
      node.lacksUntilMs = 0;
      node.thaw();
      node.powerOn();
      // A person who pressed stop presses start again when he leaves.
      world.at(2000, () => {
        node.command('start');
        node.maintenance(false);
      });
    }
  }

  private judgeSafety(): void {
    const [first, second] = this.nodes;
    if (first.serving() && second.serving() && this.couldAnswer(first) && this.couldAnswer(second)) {
      throw new Breach(`invariant 1: two primaries at ${this.world.nowMs.toFixed(0)} ms`);
    }
    for (const node of this.nodes) {
      if (node.serving() && this.lastServing !== node.name) {
        if (this.lastServing !== null) this.failovers += 1;
        this.lastServing = node.name;
      }
    }
  }

  private couldAnswer(node: SimulatedNode): boolean {
    return node.replica.role === 'primary' && node.localNow() < node.replica.leaseUntilMs;
  }

  /** Invariants 2 and 3: whatever was acknowledged is in the copy that the application gets. */
  private judgeCopy(node: SimulatedNode): void {
    if (this.ordered) return;
    const data = new Set(node.replica.durable.data);
    for (const id of this.acknowledged) {
      if (!data.has(id))
        throw new Breach(`invariant 2: ${node.name} starts the application without acknowledged write ${String(id)}`);
    }
  }

  private judgeLiveness(): void {
    const [first, second] = this.nodes;
    const protectedNow = this.nodes.every((node) => node.protected());
    if (!protectedNow)
      throw new Breach(
        `liveness: not protected ${String(healMs / 1000)} s after the last fault: n1 ${first.describe()}, n2 ${second.describe()}`,
      );
    for (const node of this.nodes) {
      this.judgeCopy(node);
      if (node.application && node.crashed)
        throw new Breach(`liveness: the application of ${node.name} has crashed, and its checker did nothing about it`);
    }
    // Invariant 7: the client has ended some seconds ago, what was under way has arrived.
    const [one, other] = this.nodes.map((node) => [...node.replica.durable.data].sort((a, b) => a - b).join());
    if (one !== other) throw new Breach('invariant 7: the two copies differ although both are called up to date');
  }
}
