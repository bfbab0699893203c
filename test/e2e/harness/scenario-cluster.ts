/** The scenario files on servers of the lab. */
import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from '../../../agent/contract/index.ts';
import type { Deed, Place } from '../../scenarios/deed.ts';
import type { NodeStand, Scenario, ScenarioCluster, ScenarioSettings } from '../../scenarios/scenario.ts';
import { until, type Host, type Lab } from '../../lab/index.ts';
import { AgentLink } from './agent-link.ts';
import { nowMs } from './clock.ts';
import { Cluster } from './cluster.ts';
import { Hearing, installSpeaker } from './hearing.ts';

const directory = '/data/db';
const nodes = ['n1', 'n2'] as const;
const module = 'db';
/** Said twenty times a second, in datagrams: neither a busy machine nor a tenth of all packets lost makes a silence of this length. */
const heardWithinMs = 2000;
const switchedOffMs = 3000;
const attendedWithinMs = 60_000;

const broken = (what: string): string => `/etc/${what}-broken`;
/** Like a service that reports "started" and then ends, as long as somebody has broken it. */
const unit = `[Service]
ExecStart=
ExecStart=/bin/sh -c 'test ! -e ${broken('application')} && exec /usr/local/bin/speak'
`;

const replicatorUnit = '/etc/systemd/system/holdfast-replicator.service';
/** Another device in the place of FUSE's, once. */
const coverDevice = '{ test /dev/fuse -ef /dev/null || mount --bind /dev/null /dev/fuse; }';
/** Before the replicator starts: each boot makes it anew. */
const withoutDevice = `[Service]
ExecStartPre=-/bin/sh -c 'test ! -e ${broken('mount')} || ${coverDevice}'
`;

/** The application, and what can be broken of it. */
async function prepare(host: Host): Promise<void> {
  await installSpeaker(host, directory, 'datagrams');
  await host.writeFile('/etc/systemd/system/app.service.d/broken.conf', unit);
  await host.writeFile(`${replicatorUnit}.d/broken.conf`, withoutDevice);
  await host.writeFile('/usr/local/bin/look-around', `#!/bin/sh\ntest ! -e ${broken('surroundings')}\n`, '0755');
  const startScript = `#!/bin/sh\ntest ! -e ${broken('script')} && systemctl start app\n`;
  await host.writeFile('/usr/local/bin/start-app', startScript, '0755');
  await host.must('systemctl daemon-reload && sync');
}

function moduleExtra({ failback, acknowledge, surroundings }: ScenarioSettings): string {
  const watched = `      - { service: app, interval: 500ms, failures: 2, gracePeriod: 3s }\n`;
  const around = `      - { script: /usr/local/bin/look-around, interval: 500ms, failures: 2, action: wait, gracePeriod: 0s }\n`;
  return `    failback: ${failback}\n    acknowledge: ${acknowledge}\n    checkers:\n${watched}${surroundings ? around : ''}`;
}

export class LabCluster implements ScenarioCluster, AsyncDisposable {
  readonly #lab: Lab;
  readonly #cluster: Cluster;
  readonly #links: Readonly<Record<string, AgentLink>>;
  readonly #hearing: Hearing;
  /** How far a server had told its events when an image of it was taken. */
  readonly #imageSequences = new Map<string, number>();

  private constructor(lab: Lab, cluster: Cluster) {
    this.#lab = lab;
    this.#cluster = cluster;
    this.#links = Object.fromEntries(nodes.map((name) => [name, new AgentLink(lab.host(name))]));
    this.#hearing = new Hearing(lab);
  }

  /** Two bare servers, and a witness where the scenario has one, become a cluster whose application runs on n1. */
  static async form(lab: Lab, settings: ScenarioSettings): Promise<LabCluster> {
    for (const name of nodes) await prepare(lab.host(name));
    await lab.host('n1').must(`echo content > ${directory}/file && sync`);
    const cluster = new Cluster(lab, {
      directory,
      witness: settings.witness,
      // The third host is the router.
      ...(settings.pingWitness ? { ping: lab.host('w').address() } : {}),
      withoutWitness: settings.withoutWitness,
      networks: true,
      start: '/usr/local/bin/start-app',
      extra: moduleExtra(settings),
      ...(settings.prefer === null ? {} : { prefer: settings.prefer }),
    });
    await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
    return new LabCluster(lab, cluster);
  }

  stand(name: string): NodeStand {
    const { status } = this.#link(name);
    const answers = nowMs() - this.#hearing.lastMs(name) < heardWithinMs;
    const nothing = { data: 'unknown', reason: null, answers, protected: false };
    if (this.#lab.host(name).state() === 'off') return { ...nothing, state: 'off' };
    const one = status?.modules[0];
    if (one === undefined) return { ...nothing, state: 'down' };
    const { state, data, reason } = one.own;
    return { state, data, reason: reason ?? null, answers, protected: one.protected };
  }

  told(name: string): readonly string[] {
    return this.#link(name).codes;
  }

  async pass(forMs: number): Promise<void> {
    await delay(forMs);
  }

  async perform(deed: Deed): Promise<string | null> {
    switch (deed.do) {
      case 'power-off':
        await Promise.all(deed.places.map((place) => this.#powerOff(this.#at(place))));
        return null;
      case 'power-on':
        await Promise.all(deed.places.map((place) => this.#powerOn(place)));
        return null;
      case 'cut': {
        const network = deed.network === null ? {} : { network: deed.network as 'lan' | 'sync' };
        await this.#lab.cut(this.#at(deed.from).name, this.#at(deed.to).name, { oneWay: deed.oneWay, ...network });
        return null;
      }
      case 'isolate':
        await this.#at(deed.place).cut();
        return null;
      case 'heal':
        for (const host of this.#lab.hosts) {
          await host.loss(0);
          await host.heal();
        }
        return null;
      case 'flap':
        await this.#flap(deed.forMs);
        return null;
      case 'lose':
        // A packet between them passes one of these two.
        for (const host of this.#lab.hosts) if (host.name !== 'n2') await host.loss(deed.percent);
        return null;
      case 'maintenance':
        for (const name of nodes) await this.#link(name).client?.call('maintenance', { module, on: deed.on });
        return null;
      case 'wall-clock':
        return labCannot(deed);
      case 'wait':
        await this.pass(deed.forMs);
        return null;
      default:
        return this.#performOn(this.#lab.host(deed.node), deed);
    }
  }

  async #performOn(host: Host, deed: Extract<Deed, { node: string }>): Promise<string | null> {
    switch (deed.do) {
      case 'freeze':
        await host.freeze();
        return null;
      case 'thaw':
        await host.thaw();
        return null;
      case 'kill-agent':
        await host.must('systemctl kill --signal=KILL holdfastd');
        return null;
      case 'kill-replicator':
        await host.must('systemctl kill --signal=KILL holdfast-replicator');
        return null;
      case 'order':
        return this.#order(deed.node, deed.order);
      case 'application':
      case 'script':
      case 'surroundings':
        return this.#break(host, deed.do, deed.good);
      case 'mount':
        return this.#breakMount(host, deed.good);
      case 'disk':
        if (deed.good || deed.volume === 1) return 'a disk of these servers does not get well, and there is one';
        await host.dataDisk.fail();
        return null;
      case 'replace-disk':
        await this.#whileOff(host, () => host.dataDisk.replace());
        await host.must(`mkdir -p ${directory} && sync`);
        await this.#fillAgain(host.name, false);
        return null;
      case 'reinstall':
        await this.#whileOff(host, () => host.reinstall());
        await prepare(host);
        this.#link(host.name).setBackTo(0);
        await this.#cluster.must('apply', this.#cluster.file, '--yes', '--timeout', '120s');
        return null;
      case 'take-image':
        await host.takeImage();
        this.#imageSequences.set(host.name, this.#link(host.name).sequence);
        return null;
      case 'restore-image':
        await this.#whileOff(host, async () => {
          await host.restoreImage();
          this.#link(host.name).setBackTo(this.#imageSequences.get(host.name) ?? 0);
        });
        return null;
      case 'set-aside':
        return this.#setAside(host.name);
      case 'resync':
        return this.#letResync(host, deed.going);
    }
  }

  async #whileOff(host: Host, change: () => Promise<void>): Promise<void> {
    await this.#powerOff(host);
    await change();
    await delay(switchedOffMs);
    await host.start();
  }

  /** What `apply` asks of a server whose copy is gone, without the other hosts that `apply` would want to reach. */
  async #fillAgain(node: string, keepAside: boolean): Promise<void> {
    let refusal: Fault | null = null;
    const isDone = async (): Promise<boolean> => {
      try {
        const params = { module, as: 'blank', keepAside, replaceRecord: keepAside } as const;
        return (await this.#link(node).client?.call('initialise', params)) !== undefined;
      } catch (error) {
        refusal = Fault.from(error);
        return false;
      }
    };
    await until(`${node} may be filled again`, attendedWithinMs, isDone, 200).catch((error: unknown) => {
      throw refusal ?? error;
    });
  }

  /** What `fork keep` orders of the server whose version is set aside. */
  async #setAside(node: string): Promise<string | null> {
    const stopped = await this.#order(node, 'stop');
    if (stopped !== null) return stopped;
    const isStopped = (): boolean => this.stand(node).state === 'stopped';
    await until(`${node} is stopped`, attendedWithinMs, isStopped);
    await this.#fillAgain(node, true);
    return this.#order(node, 'start');
  }

  /** What is refused is refused: what follows from it is expected or not. */
  async #order(node: string, order: Extract<Deed, { do: 'order' }>['order']): Promise<string | null> {
    const { client } = this.#link(node);
    if (client === null) return `the agent of ${node} does not run`;
    try {
      if (order === 'promote') await client.call('promote', { module, acceptDataLoss: true, orderedBy: 'a scenario' });
      else await client.call(order, { module });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
    return null;
  }

  /** A resync of next to nothing is over before anybody has seen it: the replicator that is started next halts before the end of each. */
  async #letResync(host: Host, going: boolean): Promise<string | null> {
    if (host.state() !== 'running') return `${host.name} is off`;
    const file = `${replicatorUnit}.d/halt.conf`;
    const place = `[Service]\nEnvironment="HOLDFAST_HALT_AT=secondary,syncfs,1"\n`;
    if (going) await host.must(`rm ${file}`);
    else await host.writeFile(file, place);
    await host.must('systemctl daemon-reload && sync');
    if (going) await host.must('systemctl kill --signal=KILL holdfast-replicator');
    return null;
  }

  async #break(host: Host, what: 'application' | 'script' | 'surroundings', good: boolean): Promise<string | null> {
    if (host.state() !== 'running') return `${host.name} is off`;
    const file = broken(what);
    await host.must(good ? `rm -f ${file}; sync` : `touch ${file}; sync`);
    if (what === 'application' && !good) await host.exec('systemctl kill --signal=KILL app');
    return null;
  }

  async #breakMount(host: Host, good: boolean): Promise<string | null> {
    const file = broken('mount');
    const change = good ? `rm -f ${file} && umount /dev/fuse` : `touch ${file} && ${coverDevice}`;
    if (host.state() !== 'running') return `${host.name} is off`;
    await host.must(`${change} && sync`);
    return null;
  }

  async #flap(forMs: number): Promise<void> {
    const endMs = nowMs() + forMs;
    for (let turn = 0; nowMs() < endMs; turn += 1) {
      await this.#lab.cut('n1', 'n2');
      await delay(300 + ((turn * 700) % 2200));
      await this.#lab.heal('n1', 'n2');
      await delay(300 + ((turn * 1100) % 2200));
    }
  }

  async #powerOff(host: Host): Promise<void> {
    if (host.state() !== 'off') await host.poweroff();
  }

  async #powerOn(place: Place): Promise<void> {
    const host = this.#lab.hosts.find(({ name }) => name === nameOf(place));
    if (host?.state() === 'off') await host.start();
  }

  #at(place: Place): Host {
    return this.#lab.host(nameOf(place));
  }

  #link(name: string): AgentLink {
    const link = this.#links[name];
    if (link === undefined) throw new Error(`no server is called ${name}`);
    return link;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of nodes) this.#link(name)[Symbol.dispose]();
    this.#hearing[Symbol.dispose]();
    await this.#cluster[Symbol.asyncDispose]();
  }
}

/** Null: all of it can be made here. */
export function labObstacleOf(scenario: Scenario): string | null {
  const deeds = scenario.blocks.flatMap((block) => block.deeds.map(({ deed }) => deed));
  return deeds.map(labCannot).find((obstacle) => obstacle !== null) ?? null;
}

function labCannot(deed: Deed): string | null {
  return deed.do === 'wall-clock' ? 'all hosts of a lab run on one kernel, which has one wall clock' : null;
}

const nameOf = (place: Place): string => (place === 'witness' ? 'w' : place);
