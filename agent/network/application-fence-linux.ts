/** Guards the control groups of applications in the kernel. Where the kernel cannot, everything here does nothing, and says so once. */
import { Fault } from '../contract/index.ts';
import type { NetlinkSocket } from '../sys/netlink-socket.ts';
import {
  applicationRemovalText,
  applicationRules,
  applicationRulesetText,
  applicationTable,
} from './application-ruleset.ts';
import type { CommandRunner } from './command-runner.ts';
import { mustRun } from './command-runner.ts';
import { firstError, groupBatch } from './nft-messages.ts';

interface Guarded {
  readonly groups: readonly bigint[];
  readonly deadlineMs: number;
}

export class ApplicationFence {
  private readonly run: CommandRunner;
  private readonly bootTimeMs: () => number;
  private readonly netlink: NetlinkSocket;
  private readonly modules = new Map<string, Guarded>();
  private readonly condemned = new Set<bigint>();
  /** Null: the kernel takes it; undefined: not tried yet. */
  private obstacle: string | null | undefined;

  constructor(run: CommandRunner, bootTimeMs: () => number, netlink: NetlinkSocket) {
    this.run = run;
    this.bootTimeMs = bootTimeMs;
    this.netlink = netlink;
  }

  /** Null: the kernel guards applications; otherwise what it said. */
  async prepare(): Promise<string | null> {
    try {
      await mustRun(this.run, ['nft', '-f', '-'], { stdin: applicationRulesetText() });
      this.obstacle = null;
    } catch (error) {
      this.obstacle = Fault.from(error).message;
    }
    return this.obstacle;
  }

  async guard(module: string, groups: readonly bigint[], deadlineMs: number): Promise<void> {
    const former = this.modules.get(module)?.groups ?? [];
    if (groups.length === 0) this.modules.delete(module);
    else this.modules.set(module, { groups: [...groups], deadlineMs });
    if (this.obstacle !== null || (groups.length === 0 && former.length === 0)) return;
    const gone = former.filter((group) => !groups.includes(group));
    if (this.exchange(groups, gone, deadlineMs)) return;
    // The table is gone: it is made again, and what all modules have is put back.
    await this.restore();
  }

  async condemn(module: string): Promise<void> {
    const groups = this.modules.get(module)?.groups ?? [];
    await this.guard(module, groups, 0);
    for (const group of groups) this.condemned.add(group);
    this.modules.delete(module);
  }

  guards(): boolean {
    return this.obstacle === null && this.modules.size + this.condemned.size > 0;
  }

  async check(): Promise<boolean> {
    if (!this.guards()) return false;
    const { code, stdout } = await this.run(['nft', 'list', 'table', 'inet', applicationTable]);
    const rules = stdout.match(/ @managed .* @leased drop/g)?.length ?? 0;
    if (code === 0 && rules === applicationRules) return false;
    await this.restore();
    return true;
  }

  async remove(): Promise<void> {
    this.modules.clear();
    this.condemned.clear();
    if (this.obstacle !== null) return;
    await mustRun(this.run, ['nft', '-f', '-'], { stdin: applicationRemovalText() });
  }

  private async restore(): Promise<void> {
    const refused = await this.prepare();
    if (refused !== null) throw new Fault('command-failed', { message: refused });
    this.exchange([...this.condemned], [], 0);
    for (const { groups, deadlineMs } of this.modules.values()) this.exchange(groups, [], deadlineMs);
  }

  private exchange(groups: readonly bigint[], gone: readonly bigint[], deadlineMs: number): boolean {
    try {
      const remainingMs = deadlineMs - this.bootTimeMs();
      return firstError(this.netlink.exchange(groupBatch(groups, gone, remainingMs))) === 0;
    } catch {
      return false;
    }
  }
}
