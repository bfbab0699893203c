/** Everything that goes wrong in a run, by name. What begins here ends by itself, at the latest when all faults are healed. */
import type { SimulatedNode } from './node.ts';
import type { Random } from './random.ts';
import type { SimulatedWitness } from './witness.ts';
import type { World } from './world.ts';

export const networks = ['lan', 'sync'] as const;

export interface Trouble {
  readonly world: World;
  readonly random: Random;
  readonly node: SimulatedNode;
  readonly other: SimulatedNode;
  readonly witness: SimulatedWitness;
  /** What a person orders that is not certain to lose nothing. */
  promote(node: SimulatedNode): void;
  /** The copy of this node, or all of it, is gone: the other one holds everything that was acknowledged, or nothing happens. */
  loseDisk(node: SimulatedNode, withRecord: boolean): void;
  takeImage(node: SimulatedNode): void;
  /** Powered off, set back to its last image, powered on; nothing happens where nobody could tell that image from the present. */
  restoreImage(node: SimulatedNode): void;
}

type FaultDeed = (trouble: Trouble) => void;

function later({ world, random }: Trouble, lowMs: number, highMs: number, action: () => void): void {
  world.at(random.between(lowMs, highMs), () => {
    if (!world.healed) action();
  });
}

function cut(trouble: Trouble, paths: readonly string[], on: readonly string[], lowMs: number, highMs: number): void {
  const { world } = trouble;
  const names = paths.flatMap((path) => on.map((network) => `${path}/${network}`));
  for (const name of names) world.cuts.add(name);
  later(trouble, lowMs, highMs, () => {
    for (const name of names) world.cuts.delete(name);
  });
}

const bothWays = ['n1>n2', 'n2>n1'] as const;

function powerCut(trouble: Trouble, node: SimulatedNode, lowMs: number, highMs: number): void {
  node.powerOff();
  later(trouble, lowMs, highMs, () => {
    node.powerOn();
  });
}

function loseWitness(trouble: Trouble, lowMs: number, highMs: number): void {
  const { witness } = trouble;
  witness.up = false;
  later(trouble, lowMs, highMs, () => {
    witness.restart();
  });
}

const power: Readonly<Record<string, FaultDeed>> = {
  'power-off': (trouble) => {
    powerCut(trouble, trouble.node, 500, 15_000);
  },
  'power-off-both': (trouble) => {
    for (const one of [trouble.node, trouble.other]) powerCut(trouble, one, 500, 20_000);
  },
  'power-off-room': (trouble) => {
    for (const one of [trouble.node, trouble.other]) powerCut(trouble, one, 500, 20_000);
    loseWitness(trouble, 500, 20_000);
  },
  freeze: (trouble) => {
    trouble.node.freeze();
    later(trouble, 200, 9000, () => {
      trouble.node.thaw();
    });
  },
  'freeze-long': (trouble) => {
    trouble.node.freeze();
    later(trouble, 9000, 40_000, () => {
      trouble.node.thaw();
    });
  },
  'kill-control-plane': ({ node }) => {
    node.killControlPlane();
  },
  'kill-replicator': ({ world, random, node }) => {
    // One that does not serve yet dies when it begins to, now and then at every try.
    if (node.replica.role !== 'primary' && random.chance(0.5))
      node.diesMountingUntilMs = world.nowMs + random.between(1000, 20_000);
    else node.killReplicator();
  },
};

const network: Readonly<Record<string, FaultDeed>> = {
  'cut-peer': (trouble) => {
    cut(trouble, bothWays, networks, 200, 12_000);
  },
  'cut-one-network': (trouble) => {
    cut(trouble, bothWays, [trouble.random.pick(networks)], 200, 20_000);
  },
  'cut-one-way': (trouble) => {
    cut(trouble, [trouble.random.pick(bothWays)], networks, 200, 12_000);
  },
  isolate: (trouble) => {
    const { name } = trouble.node;
    cut(trouble, [...bothWays, `${name}>w`, `w>${name}`], networks, 200, 12_000);
  },
  'cut-witness': (trouble) => {
    const { name } = trouble.node;
    cut(trouble, [`${name}>w`, `w>${name}`], ['lan'], 200, 20_000);
  },
  // The node hears the other one no more and reaches the witness, which the other one has lost: yet the other one hears it.
  'deaf-side-takes-witness': (trouble) => {
    const { node, other } = trouble;
    cut(trouble, [`${other.name}>${node.name}`, `${other.name}>w`, `w>${other.name}`], networks, 3000, 15_000);
  },
  'flapping-link': (trouble) => {
    const { world, random } = trouble;
    const endMs = world.nowMs + random.between(3000, 20_000);
    const flap = (): void => {
      if (world.nowMs >= endMs) return;
      cut(trouble, bothWays, networks, 50, 2500);
      later(trouble, 100, 4000, flap);
    };
    flap();
  },
  'lossy-network': (trouble) => {
    const { world, random } = trouble;
    const before = world.lossProbability;
    world.lossProbability = random.between(0.2, 0.7);
    later(trouble, 1000, 15_000, () => {
      world.lossProbability = before;
    });
  },
  'witness-restart': (trouble) => {
    loseWitness(trouble, 10, trouble.random.chance(0.5) ? 400 : 10_000);
  },
  'witness-first-peer-second': (trouble) => {
    loseWitness(trouble, 8000, 25_000);
    later(trouble, 100, 7000, () => {
      powerCut(trouble, trouble.node, 500, 20_000);
    });
  },
};

const people: Readonly<Record<string, FaultDeed>> = {
  swap: ({ node }) => {
    node.command('swap');
  },
  restart: ({ node }) => {
    node.command('restart');
  },
  'stop-start': (trouble) => {
    const both = [trouble.node, trouble.other];
    for (const one of both) one.command('stop');
    later(trouble, 100, 8000, () => {
      for (const one of both) one.command('start');
    });
  },
  'stop-one': (trouble) => {
    trouble.node.command('stop');
    later(trouble, 100, 8000, () => {
      trouble.node.command('start');
    });
  },
  maintenance: (trouble) => {
    const both = [trouble.node, trouble.other];
    for (const one of both) one.maintenance(true);
    later(trouble, 500, 10_000, () => {
      for (const one of both) one.maintenance(false);
    });
  },
  'maintenance-one': (trouble) => {
    trouble.node.maintenance(true);
    later(trouble, 500, 20_000, () => {
      trouble.node.maintenance(false);
    });
  },
  // Somebody who does not wait to see what one order did before he gives the next.
  'impatient-person': (trouble) => {
    const { random, node, other } = trouble;
    for (let count = 0; count < 5; count += 1)
      later(trouble, 0, 3000, () => {
        const one = random.pick([node, other]);
        const order = random.pick(['start', 'stop', 'swap', 'restart', 'maintenance'] as const);
        if (order === 'maintenance') one.maintenance(random.chance(0.5));
        else one.command(order);
      });
  },
};

const application: Readonly<Record<string, FaultDeed>> = {
  'application-crashes': ({ node }) => {
    node.crashed = true;
  },
  'application-broken': ({ node, world, random }) => {
    node.brokenUntilMs = world.nowMs + random.between(1000, 40_000);
  },
  'application-broken-everywhere': ({ node, other, world, random }) => {
    for (const one of [node, other]) one.brokenUntilMs = world.nowMs + random.between(1000, 60_000);
  },
  'mount-fails': ({ node, world, random }) => {
    node.mountFailsUntilMs = world.nowMs + random.between(1000, 20_000);
    node.crashed = true;
  },
  'unmount-fails': ({ node, world, random }) => {
    node.unmountFailsUntilMs = world.nowMs + random.between(1000, 15_000);
  },
  'fence-fails': ({ node, world, random }) => {
    node.fenceFailsUntilMs = world.nowMs + random.between(1000, 10_000);
    node.killReplicator();
  },
  'start-fails': ({ node, world, random }) => {
    node.startFailsUntilMs = world.nowMs + random.between(1000, 20_000);
    node.crashed = true;
  },
  'start-fails-everywhere': ({ node, other, world, random }) => {
    for (const one of [node, other]) {
      one.startFailsUntilMs = world.nowMs + random.between(10_000, 30_000);
      one.crashed = true;
    }
  },
  'surroundings-missing': ({ node, world, random }) => {
    node.lacksUntilMs = world.nowMs + random.between(1000, 20_000);
  },
};

/** After these a person may have to choose a copy, so they happen in some runs only. */
const losses: Readonly<Record<string, FaultDeed>> = {
  promote: ({ promote, node }) => {
    promote(node);
  },
  // The other one is lost, and somebody cannot wait.
  'promote-the-survivor': (trouble) => {
    powerCut(trouble, trouble.other, 4000, 25_000);
    later(trouble, 100, 8000, () => {
      trouble.promote(trouble.node);
    });
  },
  'disk-replaced': ({ loseDisk, node }) => {
    loseDisk(node, false);
  },
  'node-reinstalled': ({ loseDisk, node }) => {
    loseDisk(node, true);
  },
  'image-taken': ({ takeImage, node }) => {
    takeImage(node);
  },
  'image-restored': ({ restoreImage, node }) => {
    restoreImage(node);
  },
};

/** Bad moments on purpose, in some runs. */
const moments: Readonly<Record<string, FaultDeed>> = {
  // What its former life asked for is answered to the next one.
  'killed-in-a-slow-network': (trouble) => {
    const { world, node } = trouble;
    world.lateProbability = 0.6;
    later(trouble, 3000, 6000, () => {
      world.lateProbability = 0.03;
    });
    later(trouble, 500, 2500, () => {
      node.killControlPlane();
    });
  },
  'maintenance-behind-a-cut': (trouble) => {
    const both = [trouble.node, trouble.other];
    cut(trouble, bothWays, networks, 4000, 12_000);
    later(trouble, 2000, 6000, () => {
      for (const one of both) one.maintenance(true);
    });
    later(trouble, 8000, 20_000, () => {
      for (const one of both) one.maintenance(false);
    });
  },
  'broken-over-a-boot': (trouble) => {
    const { world, node, other } = trouble;
    for (const one of [node, other]) one.brokenUntilMs = world.nowMs + 60_000;
    later(trouble, 10_000, 25_000, () => {
      powerCut(trouble, node, 500, 3000);
    });
  },
};

/** Nobody there knows that the other one runs. */
const orderedMoments: Readonly<Record<string, FaultDeed>> = {
  'promote-behind-a-cut': (trouble) => {
    cut(trouble, bothWays, networks, 6000, 14_000);
    later(trouble, 3500, 6000, () => {
      trouble.promote(trouble.node);
    });
  },
};

/** Planned apart from the others. */
export const disks: Readonly<Record<string, FaultDeed>> = {
  // Of whoever runs the application, mostly; whoever comes to mend it says so by an order.
  'disk-fails': (trouble) => {
    const { random, node, other } = trouble;
    const runs = [node, other].find(({ replica }) => replica.role === 'primary') ?? node;
    const victim = random.chance(0.8) ? runs : node;
    victim.replica.failDisk(random.chance(0.5) ? 0 : 1);
    later(trouble, 2000, 40_000, () => {
      victim.replica.mendDisk();
      if (random.chance(0.7)) victim.command('start');
    });
  },
};

const ordinaryFaults: Readonly<Record<string, FaultDeed>> = { ...power, ...network, ...people, ...application };
const roughFaults: Readonly<Record<string, FaultDeed>> = { ...ordinaryFaults, ...losses };

/** Often enough to be seen among all the others. */
const share = 4;

/** By name, as often as it is to happen. @param bad with moments that are bad on purpose. */
export function faultNames(rough: boolean, bad: boolean): string[] {
  const names = Object.keys(rough ? roughFaults : ordinaryFaults);
  const extra = Object.keys(rough ? { ...moments, ...orderedMoments } : moments);
  return bad ? [...names, ...Array.from({ length: share }, () => extra).flat()] : names;
}

export function faultDeed(name: string): FaultDeed | undefined {
  return roughFaults[name] ?? moments[name] ?? orderedMoments[name] ?? disks[name];
}
