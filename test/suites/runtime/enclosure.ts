/**
 * The real `holdfast daemon` on this machine without touching it: its own network and mount namespaces, with empty memory
 * filesystems where a server keeps configuration and state.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import type { ControlApi, LinePort, RpcClient } from '../../../agent/contract/index.ts';
import { controlApi, createClient, lineSplitter } from '../../../agent/contract/index.ts';
import { agentMain } from '../built-agent.ts';
import { must, run, until } from '../../lab/process.ts';

const directories = ['/etc/holdfast', '/var/lib/holdfast', '/run/holdfast'];
export const node = [process.execPath, '--disable-warning=ExperimentalWarning', agentMain];

export class Enclosure implements AsyncDisposable {
  private readonly network: string;
  private readonly keeper: ChildProcess;
  private readonly made: readonly string[];
  private readonly children: ChildProcess[] = [];
  /** Everything that the daemon printed, with journal priorities. */
  printed = '';
  daemon: ChildProcess | null = null;

  private constructor(network: string, keeper: ChildProcess, made: readonly string[]) {
    this.network = network;
    this.keeper = keeper;
    this.made = made;
  }

  static async make(network: string, prepare: string): Promise<Enclosure> {
    const made = directories.filter((directory) => !existsSync(directory));
    for (const directory of made) mkdirSync(directory, { recursive: true });
    await run(['ip', 'netns', 'del', network]);
    await must(['ip', 'netns', 'add', network]);
    const script = [
      ...directories.map((directory) => `mount -t tmpfs tmpfs ${directory}`),
      'ip link set lo up',
      prepare,
      'echo ready',
      'exec sleep infinity',
    ].join(' && ');
    const keeper = spawn(
      'ip',
      ['netns', 'exec', network, 'unshare', '--mount', '--propagation', 'slave', 'sh', '-c', script],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(keeper.stdout, 'data');
    return new Enclosure(network, keeper, made);
  }

  inside(...argv: string[]): string[] {
    // With the root of the target: entering a mount namespace alone leads out of a chroot.
    return ['nsenter', '--target', String(this.keeper.pid), '--mount', '--net', '--root', '--wd', ...argv];
  }
  async must(...argv: string[]): Promise<string> {
    return await must(this.inside(...argv));
  }

  async startDaemon(): Promise<void> {
    this.printed = '';
    const [command, ...rest] = this.inside(...node, 'daemon');
    const daemon = spawn(command!, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, JOURNAL_STREAM: '1:1' },
    });
    for (const stream of [daemon.stdout, daemon.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.printed += text;
      });
    this.daemon = daemon;
    this.children.push(daemon);
    await until('the daemon runs', 15_000, () => this.printed.includes(' runs on '));
  }
  async stopDaemon(signal: NodeJS.Signals): Promise<number | null> {
    const ended = once(this.daemon!, 'exit');
    this.daemon!.kill(signal);
    const [code] = (await ended) as [number | null];
    return code;
  }

  /** Through `holdfast connect`, as the laptop does. */
  connect(): { client: RpcClient<ControlApi>; process: ChildProcess } {
    const [command, ...rest] = this.inside(...node, 'connect');
    const child = spawn(command!, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.children.push(child);
    return { client: createClient(controlApi, portOf(child), 'test'), process: child };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [...this.children, this.keeper]) if (child.exitCode === null) child.kill('SIGKILL');
    await run(['ip', 'netns', 'del', this.network]);
    for (const directory of this.made) if (existsSync(directory)) rmdirSync(directory);
  }
}

/** Lines over a program's standard input and output. */
function portOf(child: ChildProcess): LinePort {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('the program has no pipes');
  stdin.on('error', () => undefined);
  return {
    send: (line) => void stdin.write(`${line}\n`),
    onLine: (listener) => void stdout.setEncoding('utf8').on('data', lineSplitter(listener)),
    onClose: (listener) => void child.on('close', () => listener()),
    close: () => stdin.end(),
  };
}
