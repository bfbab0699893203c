/** Plans take their time: each step ends some milliseconds later, or fails, and a newer plan abandons the one that runs. */
import type { PlanStep } from '../../agent/core/index.ts';
import type { SimulatedNode } from './node.ts';

/** The node's `planLife` has just begun. */
export function runPlan(node: SimulatedNode, id: number, steps: readonly PlanStep[]): void {
  new PlanRun(node, id, steps).next(0);
}

class PlanRun {
  private readonly node: SimulatedNode;
  private readonly id: number;
  private readonly steps: readonly PlanStep[];
  private readonly life: number;
  private clean = false;

  constructor(node: SimulatedNode, id: number, steps: readonly PlanStep[]) {
    this.node = node;
    this.id = id;
    this.steps = steps;
    this.life = node.planLife;
  }

  private get abandoned(): boolean {
    return this.node.planLife !== this.life;
  }

  private finish(step: PlanStep['do'] | null, code = 'failed'): void {
    if (this.abandoned) return;
    const { node } = this;
    const fault = { code, message: `${String(step)} failed`, remedy: '', details: {} };
    node.endedByLoss = code === 'connection-lost' || code === 'replicator-down';
    node.event({ type: 'ran', id: this.id, clean: this.clean, failed: step === null ? null : { step, fault } });
    node.endedByLoss = false;
  }

  next(index: number): void {
    if (this.abandoned) return;
    const step = this.steps[index];
    if (step === undefined) {
      this.finish(null);
      return;
    }
    const { node } = this;
    node.mounting = null;
    node.world.log(node.name, `plan: ${step.do}${step.do === 'script' ? ` ${step.script}` : ''}`);
    this.perform(step, (lowMs, highMs) => {
      node.world.at(lowMs === highMs ? lowMs : node.world.random.between(lowMs, highMs), () => {
        node.whenThawed(() => {
          this.next(index + 1);
        });
      });
    });
  }

  private perform(step: PlanStep, proceed: (lowMs: number, highMs: number) => void): void {
    const { node } = this;
    const { replica, world } = node;
    switch (step.do) {
      case 'mount':
        this.mount(step.order, () => {
          proceed(5, 80);
        });
        break;
      case 'raise-vip':
        node.vip = true;
        proceed(1, 30);
        break;
      case 'drop-vip':
        node.vip = false;
        proceed(1, 10);
        break;
      case 'script':
        this.script(step.script, () => {
          proceed(1, 300);
        });
        break;
      case 'unmount':
        if (!replica.alive || world.nowMs < node.unmountFailsUntilMs) this.finish('unmount');
        else
          replica.stop((clean) => {
            this.clean = clean;
            proceed(1, 1);
          });
        break;
      case 'fence':
        node.application = false;
        replica.removeMount();
        if (replica.alive) replica.fence();
        if (world.nowMs >= node.fenceFailsUntilMs) proceed(5, 200);
        else
          world.at(world.random.between(500, 1500), () => {
            this.finish('fence');
          });
        break;
      case 'serve-secondary':
        if (replica.alive) {
          replica.serveSecondary();
          proceed(1, 1);
        } else this.finish('serve-secondary');
        break;
      case 'idle':
        if (replica.alive) replica.fence();
        proceed(1, 1);
        break;
    }
  }

  private mount(order: boolean, done: () => void): void {
    const { node } = this;
    const { replica, world } = node;
    if (!replica.alive) this.finish('mount', 'replicator-down');
    else if (world.nowMs < node.mountFailsUntilMs || !replica.servePrimary(order)) this.finish('mount');
    else {
      node.mounting = () => {
        this.finish('mount', 'connection-lost');
      };
      done();
      if (world.nowMs < node.diesMountingUntilMs)
        world.at(2, () => {
          if (!this.abandoned) node.killReplicator();
        });
    }
  }

  private script(name: string, done: () => void): void {
    const { node } = this;
    if (name === 'start') {
      if (node.world.nowMs < node.startFailsUntilMs) this.finish('script');
      else this.start(done);
      return;
    }
    if (name === 'stop') node.application = false;
    done();
  }

  /** An application that starts writes, so it waits until its files answer. */
  private start(done: () => void): void {
    if (this.abandoned) return;
    const { node } = this;
    const { mode, leaseUntilMs } = node.replica;
    if (mode === null || mode === 'undecided' || node.localNow() >= leaseUntilMs || node.frozen) {
      node.world.at(50, () => {
        this.start(done);
      });
      return;
    }
    node.application = true;
    node.crashed = false;
    node.ports.applicationStarted(node);
    done();
  }
}
