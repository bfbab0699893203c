/** `holdfast` on a node: the same commands, spoken to the agent of this node alone; the other node as that agent sees it. */
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { controlApi, type ControlApi } from '../../agent/contract/control-api.ts';
import { Fault } from '../../agent/contract/fault.ts';
import { createClient, type Params, type Result, type RpcClient } from '../../agent/contract/rpc.ts';
import type { ClusterStatus, NodeStatus } from '../../agent/contract/status.ts';
import { mergeClusterStatus } from '../cluster/merge.ts';
import { layout } from '../install/layout.ts';
import { programVersion } from '../install/version.ts';
import { linePort } from '../ssh/line-port.ts';
import type { ClusterAccess } from '../cluster/access.ts';
import { runCommandLine, type Place, type Surroundings } from './run.ts';

const controlSocket = `${layout.run}/control.sock`;
const answerTimeoutMs = 30_000;

async function openSocket(): Promise<Duplex> {
  const socket = connect(controlSocket);
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  socket.once('connect', () => resolve(undefined));
  socket.once('error', (error: NodeJS.ErrnoException) => {
    const words =
      error.code === 'EACCES'
        ? { message: 'Only root may speak to the agent.', remedy: 'Use sudo.' }
        : { message: 'The agent of this server does not run.', remedy: 'Look at: systemctl status holdfastd' };
    reject(new Fault('agent-not-answering', words, {}, error));
  });
  await promise;
  return socket;
}

class LocalAccess implements ClusterAccess {
  readonly #client: RpcClient<ControlApi>;
  readonly #status: NodeStatus;
  readonly nodes: readonly string[];

  private constructor(client: RpcClient<ControlApi>, status: NodeStatus) {
    this.#client = client;
    this.#status = status;
    this.nodes = [status.node];
  }

  static async open(): Promise<LocalAccess> {
    const client = createClient(controlApi, linePort(await openSocket()), programVersion());
    try {
      return new LocalAccess(client, await client.call('status', {}, AbortSignal.timeout(answerTimeoutMs)));
    } catch (error) {
      // An open socket would keep this process from ending.
      client.close();
      throw error;
    }
  }

  async client(node: string): Promise<RpcClient<ControlApi>> {
    if (node === this.#status.node) return this.#client;
    throw new Fault(
      'other-node',
      {
        message: `This is ${this.#status.node}; the order concerns ${node}.`,
        remedy: `Give it on ${node}, or from the laptop.`,
      },
      { node },
    );
  }

  async call<M extends keyof ControlApi['methods']>(
    node: string,
    method: M,
    params: Params<ControlApi, M>,
    limitMs: number = answerTimeoutMs,
  ): Promise<Result<ControlApi, M>> {
    return (await this.client(node)).call(method, params, AbortSignal.timeout(limitMs));
  }

  async status(): Promise<ClusterStatus> {
    const own = await this.#client.call('status', {}, AbortSignal.timeout(answerTimeoutMs));
    const observedAt = own.observedAt;
    const observations = [
      { name: own.node, status: own, fault: null, lastSeen: observedAt, agentVersion: own.agentVersion },
      {
        name: own.peer.name,
        status: null,
        fault: null,
        lastSeen: own.peer.lastHeard,
        agentVersion: own.peer.agentVersion,
      },
    ].sort((a, b) => (a.name < b.name ? -1 : 1));
    const merged = mergeClusterStatus({ cluster: own.cluster, configuration: null, observations, observedAt });
    // Here "reachable" is the agent's word: it hears the other node, though nothing asks that node directly.
    return {
      ...merged,
      nodes: merged.nodes.map((node) => (node.name === own.peer.name ? { ...node, reachable: own.peer.alive } : node)),
    };
  }

  async primaryOf(module: string): Promise<string> {
    const status = await this.status();
    const nodes = status.modules.find((one) => one.name === module)?.nodes ?? [];
    const primary = nodes.find((node) => node.state === 'primary' || node.state === 'alone');
    if (primary) return primary.name;
    throw new Fault('no-primary', { message: `${module} runs on no server, as far as this one knows.` }, { module });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }
}

async function configCommand({ args, terminal }: Surroundings): Promise<number> {
  if (args.words[0] !== 'show') throw new Fault('wrong-usage', { message: 'usage: holdfast config show' });
  try {
    terminal.out(await readFile(layout.clusterRecord, 'utf8'));
    return 0;
  } catch (error) {
    throw new Fault('not-configured', { message: 'This server belongs to no cluster yet.' }, {}, error);
  }
}

function fromTheLaptop(command: string) {
  return (): Promise<number> =>
    Promise.reject(
      new Fault('wrong-usage', {
        message: `\`holdfast ${command}\` concerns both servers.`,
        remedy: 'Use it on the computer from which they were installed.',
      }),
    );
}

const node: Place = {
  own: {
    apply: fromTheLaptop('apply'),
    check: fromTheLaptop('check'),
    uninstall: fromTheLaptop('uninstall'),
    config: configCommand,
    witness: fromTheLaptop('witness'),
  },
  access: () => LocalAccess.open(),
};

export function main(argv: readonly string[]): Promise<number> {
  return runCommandLine(argv, node);
}
