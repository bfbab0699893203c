/** The modules of this node, as the cluster record wants them: what is new is loaded, what is gone is ended, what is unchanged goes on. */
import type { ClusterRecord, VolumeStatus } from '../contract/index.ts';
import { Fault } from '../contract/index.ts';
import { sameCircumstances, stopOrder } from './cluster-record.ts';
import type { ModuleSurroundings } from './managed-module.ts';
import { ManagedModule } from './managed-module.ts';
import type { RuntimePorts } from './ports.ts';

type Ports = Pick<RuntimePorts, 'node' | 'replicator' | 'modules' | 'vip' | 'journal' | 'scripts'>;
type Volumes = ReadonlyMap<string, VolumeStatus> | null;

export class ModuleSet implements Iterable<ManagedModule> {
  private readonly ports: Ports;
  private readonly modules = new Map<string, ManagedModule>();
  /** Which addresses of a module stand on this node, whatever machine put them there. */
  private readonly raised = new Map<string, Set<string>>();
  /** Of machines that were retired: until when each had the right to run. */
  private readonly leases = new Map<string, number>();

  constructor(ports: Ports) {
    this.ports = ports;
  }

  [Symbol.iterator](): Iterator<ManagedModule> {
    return this.modules.values();
  }
  find(name: string): ManagedModule | undefined {
    return this.modules.get(name);
  }
  /** Fault: no-such-module. */
  get(name: string): ManagedModule {
    const module = this.modules.get(name);
    if (module !== undefined) return module;
    throw new Fault('no-such-module', {
      message: `There is no module ${name} on ${this.ports.node}.`,
      remedy: `Known modules: ${[...this.modules.keys()].join(', ')}.`,
    });
  }

  /** Ends what `next` does not have any more, and machines that decide by circumstances that have changed. */
  async dropChanged(former: ClusterRecord | null, next: ClusterRecord): Promise<void> {
    for (const [name, module] of [...this.modules]) {
      const definition = next.modules.find((one) => one.name === name);
      if (definition === undefined) {
        await module.windDown('stop');
        await this.forget(module);
        continue;
      }
      if (former === null || !sameCircumstances(former, next, name)) {
        await module.retire();
        this.leases.set(name, module.rightUntilMs);
        this.modules.delete(name);
      }
      const wanted = new Set(definition.vips.map(({ address }) => address));
      for (const { address } of module.definition.vips.filter((vip) => !wanted.has(vip.address))) {
        await this.ports.vip.drop(address);
        module.raised.delete(address);
      }
    }
  }

  /** After `dropChanged`. */
  async take(next: ClusterRecord, around: ModuleSurroundings, volumes: Volumes): Promise<void> {
    for (const definition of next.modules) {
      const kept = this.modules.get(definition.name);
      if (kept !== undefined) {
        await kept.redefine(definition);
        continue;
      }
      const raised = this.raised.get(definition.name) ?? new Set();
      this.raised.set(definition.name, raised);
      const leaseMs = this.leases.get(definition.name) ?? 0;
      this.leases.delete(definition.name);
      const module = await ManagedModule.load(definition, next, around, raised, leaseMs);
      this.modules.set(definition.name, module);
      // Before its machine decides anything: what its predecessor guarded stays under guard.
      await module.lease.hold();
      if (volumes !== null) module.data(volumes);
    }
  }

  async withdraw(): Promise<void> {
    const definitions = [...this.modules.values()].map(({ definition }) => definition);
    for (const wave of stopOrder(definitions)) await Promise.all(wave.map((name) => this.get(name).windDown('stop')));
    for (const module of [...this.modules.values()]) await this.forget(module);
  }

  /** The data stays; the records that make it a copy go. */
  private async forget(module: ManagedModule): Promise<void> {
    const { name, volumes } = module.definition;
    for (const { id } of volumes) await this.ports.replicator.call('release', { volume: id, removeRecord: true });
    await this.ports.modules.remove(name);
    await this.ports.scripts.learn(name, []);
    this.modules.delete(name);
    this.raised.delete(name);
  }
}
