/** The scenario files on the simulated cluster, in a calm network, judged as every run is. */
import { stepMirror, timingFor } from '../../agent/core/index.ts';
import type { Deed, Place } from '../scenarios/deed.ts';
import { readScenarios } from '../scenarios/files.ts';
import { playScenario, type NodeStand, type Scenario, type ScenarioCluster } from '../scenarios/scenario.ts';
import { Breach } from './breach.ts';
import { Simulation } from './cluster.ts';
import { networks } from './faults.ts';
import { Random } from './random.ts';
import { Seen } from './seen.ts';
import { World } from './world.ts';

/** Each file with so many kinds of luck: durations of scripts, messages and clocks differ. */
const lucks = [1, 2, 3] as const;
/** Clocks are off by what production allows. */
const rateError = 0.001;

export interface Played {
  readonly failure: string | null;
  readonly trace: readonly string[];
  readonly seen: Seen;
}

export async function playSimulated(scenario: Scenario, luck: number, tracing: boolean): Promise<Played> {
  const cluster = new SimulatedCluster(scenario, luck, tracing);
  let failure: string | null;
  try {
    failure = await playScenario(scenario, cluster);
  } catch (error) {
    if (!(error instanceof Breach)) throw error;
    failure = `${scenario.name}: ${error.message}`;
  }
  return { failure, trace: cluster.world.trace, seen: cluster.simulation.seen };
}

/** @param only part of a name; empty: all. */
export async function playAll(
  only: string,
  say: (line: string) => void,
): Promise<{ passed: number; failed: number; seen: Seen }> {
  const seen = new Seen();
  let passed = 0;
  let failed = 0;
  for (const scenario of readScenarios().filter(({ name }) => name.includes(only))) {
    let wrong: Played | null = null;
    for (const luck of lucks) {
      const played = await playSimulated(scenario, luck, false);
      seen.add(played.seen);
      if (played.failure !== null && wrong === null) wrong = await playSimulated(scenario, luck, true);
    }
    if (wrong === null) passed += 1;
    else {
      failed += 1;
      say(`scenario ${scenario.name}: ${wrong.failure ?? ''}`);
      for (const line of wrong.trace.slice(-60)) say(`    ${line}`);
    }
  }
  return { passed, failed, seen };
}

class SimulatedCluster implements ScenarioCluster {
  readonly world: World;
  readonly simulation: Simulation;
  private readonly availability: boolean;

  constructor(scenario: Scenario, luck: number, tracing: boolean) {
    const { settings } = scenario;
    this.world = new World(new Random(luck));
    this.world.tracing = tracing;
    this.world.calm = true;
    this.simulation = new Simulation(this.world, {
      witness: settings.witness,
      withoutWitness: settings.withoutWitness,
      pingWitness: settings.pingWitness,
      timing: timingFor(3000, rateError),
      rateError,
      prefer: settings.prefer,
      failback: () => settings.failback,
      volumes: settings.volumes,
      acknowledge: settings.acknowledge,
      checkers: { application: 'restart', surroundings: settings.surroundings },
      stepMirror,
    });
    // A ping witness keeps the one that is cut off from running: as long as the two lose nothing but each other, nobody can tell who that is.
    this.simulation.judges.twoAllowed = settings.withoutWitness === 'prefer-availability' && !settings.pingWitness;
    this.availability = settings.withoutWitness === 'prefer-availability';
    for (const node of this.simulation.nodes) node.record = { ...node.record, wanted: 'started' };
    this.simulation.startClient(Number.MAX_SAFE_INTEGER);
  }

  stand(name: string): NodeStand {
    const node = this.simulation.node(name);
    return { ...node.stand(), answers: node.serving() && !node.frozen, protected: node.protected() };
  }

  told(name: string): readonly string[] {
    return this.simulation.node(name).told;
  }

  pass(forMs: number): void {
    const { judges } = this.simulation;
    this.world.runUntil(this.world.nowMs + forMs, () => {
      judges.afterStep();
    });
  }

  perform(deed: Deed): string | null {
    this.world.log('deed', JSON.stringify(deed));
    this.simulation.judges.checkers.disturbed();
    switch (deed.do) {
      case 'power-off':
      case 'power-on':
        for (const place of deed.places) this.power(place, deed.do === 'power-on');
        return null;
      case 'cut':
        this.cut(deed.from, deed.to, deed.network);
        if (!deed.oneWay) this.cut(deed.to, deed.from, deed.network);
        if (this.availability && deed.from !== 'witness' && deed.to !== 'witness')
          this.simulation.judges.twoAllowed = true;
        return null;
      case 'isolate':
        for (const other of ['n1', 'n2', 'witness'] as const) {
          this.cut(deed.place, other, null);
          this.cut(other, deed.place, null);
        }
        return null;
      case 'heal':
        this.world.cuts.clear();
        this.world.lossProbability = 0;
        return null;
      case 'flap':
        this.flap(deed.forMs);
        return null;
      case 'lose':
        this.world.lossProbability = deed.percent / 100;
        return null;
      case 'maintenance':
        for (const node of this.simulation.nodes) node.maintenance(deed.on);
        return null;
      // The core cannot read a wall clock, and the simulator has none: for clusters that do.
      case 'wall-clock':
        return null;
      case 'wait':
        this.pass(deed.forMs);
        return null;
      default:
        return this.performOn(deed);
    }
  }

  private performOn(deed: Extract<Deed, { node: string }>): string | null {
    const { simulation } = this;
    const node = simulation.node(deed.node);
    switch (deed.do) {
      case 'freeze':
        node.freeze();
        break;
      case 'thaw':
        node.thaw();
        break;
      case 'kill-agent':
        node.killControlPlane();
        break;
      case 'kill-replicator':
        node.killReplicator();
        break;
      case 'order':
        if (deed.order === 'promote') {
          // Without a witness nobody but the person knows that the other one is off.
          if (!node.identity.witness) simulation.judges.twoAllowed = true;
          node.promote();
        } else node.command(deed.order);
        break;
      case 'application':
        node.brokenUntilMs = deed.good ? 0 : Infinity;
        break;
      case 'script':
        node.startFailsUntilMs = deed.good ? 0 : Infinity;
        break;
      case 'surroundings':
        node.lacksUntilMs = deed.good ? 0 : Infinity;
        break;
      case 'mount':
        node.mountFailsUntilMs = deed.good ? 0 : Infinity;
        break;
      case 'disk':
        if (deed.good) node.replica.mendDisk();
        else node.replica.failDisk(deed.volume);
        break;
      case 'replace-disk':
      case 'reinstall':
        simulation.blank(node, deed.do === 'reinstall');
        break;
      // There a resync takes its time.
      case 'resync':
        break;
      case 'set-aside':
        simulation.setAside(node);
        break;
      case 'take-image':
        simulation.takeImage(node);
        break;
      case 'restore-image':
        simulation.setBack(node);
        break;
    }
    return null;
  }

  private power(place: Place, on: boolean): void {
    const { witness } = this.simulation;
    if (place === 'witness') {
      if (!on) witness.up = false;
      else if (!witness.up) witness.restart();
    } else if (on) this.simulation.node(place).powerOn();
    else this.simulation.node(place).powerOff();
  }

  private cut(from: Place, to: Place, network: string | null): void {
    const name = (place: Place): string => (place === 'witness' ? 'w' : place);
    for (const one of network === null ? networks : [network]) this.world.cuts.add(`${name(from)}>${name(to)}/${one}`);
  }

  /** Longer than the replicator's patience and shorter than the detection time, in turn. */
  private flap(forMs: number): void {
    const { world } = this;
    for (const endMs = world.nowMs + forMs; world.nowMs < endMs;) {
      this.cut('n1', 'n2', null);
      this.cut('n2', 'n1', null);
      this.pass(world.random.between(100, 2500));
      world.cuts.clear();
      this.pass(world.random.between(100, 2500));
    }
  }
}
