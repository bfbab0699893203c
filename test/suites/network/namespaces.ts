/** Network namespaces with one virtual switch between them, and programs that live inside. What a killed run left is removed first. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { insideGroup } from '../../lab/cgroups.ts';
import { must, run } from '../../lab/process.ts';

export class Namespaces implements AsyncDisposable {
  readonly prefix: string;
  readonly names: readonly string[];
  private readonly children: ChildProcess[] = [];

  private constructor(prefix: string, names: readonly string[]) {
    this.prefix = prefix;
    this.names = names;
  }

  /** `hosts`: name → address with prefix length. */
  static async make(prefix: string, hosts: Readonly<Record<string, string>>): Promise<Namespaces> {
    const made = new Namespaces(prefix, Object.keys(hosts));
    await made.remove();
    const bridge = made.of('switch');
    await must(['ip', 'netns', 'add', bridge]);
    await must(['ip', '-n', bridge, 'link', 'add', 'br0', 'type', 'bridge']);
    await must(['ip', '-n', bridge, 'link', 'set', 'br0', 'up']);
    for (const [name, address] of Object.entries(hosts)) {
      const host = made.of(name);
      await must(['ip', 'netns', 'add', host]);
      await must(['ip', '-n', host, 'link', 'set', 'lo', 'up']);
      await must(['ip', '-n', bridge, 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host]);
      await must(['ip', '-n', bridge, 'link', 'set', name, 'master', 'br0', 'up']);
      await must(['ip', '-n', host, 'address', 'add', address, 'dev', 'eth0']);
      await must(['ip', '-n', host, 'link', 'set', 'eth0', 'up']);
    }
    return made;
  }

  of(name: string): string {
    return `${this.prefix}-${name}`;
  }
  inside(name: string, ...argv: string[]): string[] {
    return ['ip', 'netns', 'exec', this.of(name), ...argv];
  }

  /** A Node program inside; its standard output is read line by line as JSON. */
  program(name: string, file: string): InsideProgram {
    return this.start(this.inside(name, process.execPath, '--disable-warning=ExperimentalWarning', file));
  }

  /** The same in a control group, given by its `cgroup.procs` files. */
  programInGroup(procsFiles: readonly string[], name: string, file: string): InsideProgram {
    const argv = this.inside(name, process.execPath, '--disable-warning=ExperimentalWarning', file);
    return this.start(insideGroup(procsFiles, argv));
  }

  private start([command, ...rest]: readonly string[]): InsideProgram {
    const child = spawn(command!, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.children.push(child);
    return new InsideProgram(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.children) if (child.exitCode === null) child.kill('SIGKILL');
    await this.remove();
  }

  private async remove(): Promise<void> {
    for (const name of [...this.names, 'switch']) await run(['ip', 'netns', 'del', this.of(name)]);
  }
}

/** Answers one JSON line per JSON line. */
export class InsideProgram {
  readonly child: ChildProcess;
  private readonly waiting: ((line: string) => void)[] = [];
  private readonly lines: string[] = [];

  constructor(child: ChildProcess) {
    this.child = child;
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const next = this.waiting.shift();
      if (next === undefined) this.lines.push(line);
      else next(line);
    });
  }

  async ask<T>(order: readonly unknown[]): Promise<T> {
    this.child.stdin!.write(`${JSON.stringify(order)}\n`);
    const line = this.lines.shift() ?? (await new Promise<string>((resolve) => this.waiting.push(resolve)));
    const answer = JSON.parse(line) as { value?: T; fault?: { code: string; details: unknown } };
    if (answer.fault !== undefined) throw Object.assign(new Error(answer.fault.code), answer.fault);
    return answer.value as T;
  }
}
