import { NetlinkSocket } from '../sys/netlink-socket.ts';
import { ApplicationFence } from './application-fence-linux.ts';
import type { CommandRunner } from './command-runner.ts';
import { mustRun } from './command-runner.ts';
import type { KernelFence } from './fence.ts';
import { firstError, generationRequest, leaseBatch, parseGeneration } from './nft-messages.ts';
import type { LeasedAddress } from './nft-ruleset.ts';
import { families, removalText, rulesetText, tableName } from './nft-ruleset.ts';

/** Rules and chains that `rulesetText` makes: fewer, and somebody removed one. */
const expectedRules = 5;

export function linuxFence(
  run: CommandRunner,
  bootTimeMs: () => number,
  obstacle: string | null,
  netlink: Netlink = new NetlinkSocket(),
): KernelFence {
  return new LinuxFence(run, bootTimeMs, obstacle, netlink);
}

type Netlink = Pick<NetlinkSocket, 'exchange'>;

class LinuxFence implements KernelFence {
  private readonly run: CommandRunner;
  private readonly bootTimeMs: () => number;
  private readonly netlink: Netlink;
  private managed: readonly string[] = [];
  /** What was granted last, in boot time: put back when a foreign flush took it. */
  private readonly deadlines = new Map<string, number>();
  private readonly changed = new Set<string>();
  private readonly applications: ApplicationFence;
  private obstacle: string | null = null;
  private flushing: Promise<void> | undefined;
  /** The ruleset's number after our own last change; null: look. */
  private generation: number | null = null;

  constructor(run: CommandRunner, bootTimeMs: () => number, obstacle: string | null, netlink: Netlink) {
    this.run = run;
    this.bootTimeMs = bootTimeMs;
    this.netlink = netlink;
    this.applications = new ApplicationFence(run, bootTimeMs, netlink, obstacle);
  }

  async manage(addresses: readonly string[]): Promise<void> {
    const gone = [...this.deadlines.keys()].filter((address) => !addresses.includes(address));
    this.managed = [...addresses];
    for (const address of gone) this.deadlines.delete(address);
    await this.install();
    this.obstacle = await this.applications.prepare();
  }

  async guard(module: string, groups: readonly bigint[], deadlineMs: number | null): Promise<void> {
    this.applications.set(module, groups, deadlineMs);
    const cuts = deadlineMs !== null && deadlineMs <= this.bootTimeMs();
    await (cuts ? this.flush() : this.flushSoon());
  }

  async settle(): Promise<void> {
    const before = this.rulesetGeneration();
    this.ownChange(before, this.applications.settle());
  }

  async condemn(module: string): Promise<void> {
    this.applications.condemn(module);
    await this.flush();
  }

  guardObstacle(): string | null {
    return this.obstacle;
  }

  async extend(addresses: readonly string[], deadlineMs: number): Promise<void> {
    for (const address of addresses) {
      this.deadlines.set(address, deadlineMs);
      this.changed.add(address);
    }
    await this.flushSoon();
  }

  /** Leases of all modules are renewed at the same tick: one transaction at the end of the turn. */
  private async flushSoon(): Promise<void> {
    this.flushing ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.flushing = undefined;
      return this.flush();
    });
    await this.flushing;
  }

  async cut(addresses: readonly string[]): Promise<void> {
    for (const address of addresses) {
      this.deadlines.delete(address);
      this.changed.add(address);
    }
    await this.flush();
  }

  async check(): Promise<boolean> {
    if (this.managed.length === 0 && !this.applications.guards()) return false;
    const before = this.rulesetGeneration();
    if (before !== null && before === this.generation && !this.applications.isBroken()) return false;
    const mended = await this.applications.check();
    if (this.managed.length > 0 && !(await this.complete())) {
      await this.install();
      return true;
    }
    this.generation = mended ? null : before;
    return mended;
  }

  async remove(): Promise<void> {
    this.managed = [];
    this.deadlines.clear();
    this.changed.clear();
    await mustRun(this.run, ['nft', '-f', '-'], { stdin: removalText() });
    await this.applications.remove();
  }

  private remaining(address: string): LeasedAddress {
    return { address, remainingMs: (this.deadlines.get(address) ?? 0) - this.bootTimeMs() };
  }

  private async flush(): Promise<void> {
    const changes = [...this.changed].map((address) => this.remaining(address));
    this.changed.clear();
    const before = this.rulesetGeneration();
    const renewed = changes.length === 0 || this.renew(changes);
    // A transaction of its own: a kernel that takes nothing of it takes the addresses all the same.
    const transactions = this.applications.flush() + (changes.length === 0 ? 0 : 1);
    // The tables are gone, or never were: everything at once, with what remains of the leases.
    if (!renewed) await this.install();
    else if (transactions > 0) this.ownChange(before, transactions);
  }

  /** Each of our own transactions counts one at most; anything beyond was somebody else's, and `check` looks. */
  private ownChange(before: number | null, transactions: number): void {
    const after = this.rulesetGeneration();
    const ours = before !== null && before === this.generation && after !== null && after - before <= transactions;
    this.generation = ours ? after : null;
  }

  private rulesetGeneration(): number | null {
    try {
      return parseGeneration(this.netlink.exchange(generationRequest()));
    } catch {
      return null;
    }
  }
  /** False: the kernel refused, or could not be asked. */
  private renew(changes: readonly LeasedAddress[]): boolean {
    try {
      return firstError(this.netlink.exchange(leaseBatch(changes))) === 0;
    } catch {
      return false;
    }
  }

  private async install(): Promise<void> {
    const leased = [...this.deadlines.keys()]
      .map((address) => this.remaining(address))
      .filter((one) => one.remainingMs > 0);
    await mustRun(this.run, ['nft', '-f', '-'], { stdin: rulesetText(this.managed, leased) });
    this.generation = null;
  }

  /** Both tables with all their rules and addresses. */
  private async complete(): Promise<boolean> {
    let rules = 0;
    for (const family of families) {
      const result = await this.run(['nft', 'list', 'table', family, tableName]);
      if (result.code !== 0) return false;
      rules += result.stdout.match(/ @managed .* @leased drop/g)?.length ?? 0;
      const managed = /set managed \{[^}]*?elements = \{([^}]*)\}/.exec(result.stdout)?.[1] ?? '';
      const present = new Set(managed.split(',').map((one) => one.trim()));
      if (!this.managed.every((address) => present.has(address))) return false;
    }
    return rules === expectedRules;
  }
}
