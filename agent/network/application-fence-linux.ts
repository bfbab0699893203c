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
import type { GuardedGroups } from './nft-messages.ts';
import { firstError, groupBatch } from './nft-messages.ts';

/** Less than half of what a netlink socket takes at once. */
const groupsPerTransactionMax = 200;

interface Guarded {
  readonly groups: readonly bigint[];
  /** Null: whatever lease runs in the kernel. */
  readonly deadlineMs: number | null;
}

export class ApplicationFence {
  private readonly run: CommandRunner;
  private readonly bootTimeMs: () => number;
  private readonly netlink: Pick<NetlinkSocket, 'exchange'>;
  private readonly modules = new Map<string, Guarded>();
  /** What has changed since the kernel was told. */
  private readonly changed = new Set<string>();
  private readonly gone = new Set<bigint>();
  private readonly sentenced = new Set<bigint>();
  /** Cut for good. */
  private readonly condemned = new Set<bigint>();
  /** Whether what the kernel guards beyond `modules` is known to be nobody's. */
  private settled = false;
  /** Why the kernel guards nothing; null: it does. */
  private obstacle: string | null;
  private readonly knownObstacle: string | null;
  private restoring: Promise<void> | undefined;
  private toRestore = false;

  constructor(
    run: CommandRunner,
    bootTimeMs: () => number,
    netlink: Pick<NetlinkSocket, 'exchange'>,
    knownObstacle: string | null,
  ) {
    this.run = run;
    this.bootTimeMs = bootTimeMs;
    this.netlink = netlink;
    this.knownObstacle = knownObstacle;
    this.obstacle = 'not prepared yet';
  }

  /**
   * Null: the kernel guards applications; otherwise what it said, and then nothing of a former guard stays: nobody would renew it. Faults: those of
   * nft, when not even that can be said.
   */
  async prepare(): Promise<string | null> {
    this.obstacle = this.knownObstacle;
    try {
      if (this.obstacle === null) await this.install();
    } catch (error) {
      this.obstacle = Fault.from(error).message;
    }
    if (this.obstacle !== null) await this.uninstall();
    return this.obstacle;
  }

  /** What is to be guarded of a module from now on; `flush` tells the kernel. */
  set(module: string, wanted: readonly bigint[], deadlineMs: number | null): void {
    const former = this.modules.get(module);
    const formerGroups = former?.groups ?? [];
    const cuts = deadlineMs !== null && deadlineMs <= this.bootTimeMs();
    // What was ended while it is cut off stays so until all of it is condemned or released.
    const groups = new Set(cuts && wanted.length > 0 ? [...wanted, ...formerGroups] : wanted);
    for (const group of formerGroups) if (!groups.has(group)) this.gone.add(group);
    // A group that is guarded again has processes that may run.
    for (const one of [this.gone, this.sentenced, this.condemned]) for (const group of groups) one.delete(group);
    if (groups.size === 0) this.modules.delete(module);
    else this.modules.set(module, { groups: [...groups], deadlineMs: deadlineMs ?? former?.deadlineMs ?? null });
    this.changed.add(module);
  }

  /** How many changes of the ruleset that was. What the kernel does not take is put right beside: a lease never waits for a program. */
  flush(): number {
    if (this.obstacle !== null) return this.forgetChanges();
    const changed = [...this.changed].flatMap((module) => this.guardedBy(module));
    if (this.sentenced.size > 0) changed.push({ groups: [...this.sentenced], remainingMs: 0 });
    const gone = this.goneForGood();
    if (changed.length === 0 && gone.length === 0) return this.forgetChanges();
    return this.exchange(changed, gone);
  }

  /** Every application has said what it guards: what a former process left beyond that, nobody would renew. */
  settle(): number {
    this.settled = true;
    if (this.obstacle !== null) return 0;
    return this.exchangeAll();
  }

  /** What is guarded of a module now stays cut for good; `flush` tells the kernel. */
  condemn(module: string): void {
    for (const group of this.modules.get(module)?.groups ?? []) {
      this.condemned.add(group);
      this.sentenced.add(group);
    }
    this.modules.delete(module);
    this.changed.add(module);
  }

  guards(): boolean {
    return this.obstacle === null && (this.modules.size + this.condemned.size > 0 || this.toRestore);
  }
  /** The kernel did not take the last change. */
  isBroken(): boolean {
    return this.obstacle === null && this.toRestore;
  }

  /** True: something was missing and is there again. Faults: those of nft; to be tried again. */
  async check(): Promise<boolean> {
    if (!this.guards()) return false;
    if (!this.toRestore) {
      const { code, stdout } = await this.run(['nft', 'list', 'table', 'inet', applicationTable]);
      const rules = stdout.match(/ @managed .* @leased drop/g)?.length ?? 0;
      if (code === 0 && rules === applicationRules) return false;
    }
    await this.restore();
    return true;
  }

  async remove(): Promise<void> {
    this.modules.clear();
    this.condemned.clear();
    this.obstacle = 'removed';
    this.forgetChanges();
    await this.uninstall();
  }

  private async install(): Promise<void> {
    await mustRun(this.run, ['nft', '-f', '-'], { stdin: applicationRulesetText() });
  }
  private async uninstall(): Promise<void> {
    await mustRun(this.run, ['nft', '-f', '-'], { stdin: applicationRemovalText() });
  }

  private isPrepared(): boolean {
    return this.obstacle === null;
  }

  private restoreSoon(): void {
    this.toRestore = true;
    // What fails is tried again by `check`, which says so.
    this.restore().catch(() => undefined);
  }

  private async restore(): Promise<void> {
    this.toRestore = true;
    this.restoring ??= this.restoreNow().finally(() => {
      this.restoring = undefined;
    });
    await this.restoring;
  }

  private async restoreNow(): Promise<void> {
    if (!this.isPrepared()) return;
    await this.install();
    // Removed meanwhile: then it is not put back.
    if (!this.isPrepared()) await this.uninstall();
    else if (this.tell(this.everything()) === null)
      throw new Fault('command-failed', {
        message: 'The kernel does not take what it is to guard of the applications.',
      });
    this.forgetChanges();
    this.toRestore = false;
  }

  private forgetChanges(): 0 {
    for (const one of [this.changed, this.gone, this.sentenced]) one.clear();
    return 0;
  }

  private guardedBy(module: string): readonly GuardedGroups[] {
    const guarded = this.modules.get(module);
    if (guarded === undefined) return [];
    const remainingMs = guarded.deadlineMs === null ? null : guarded.deadlineMs - this.bootTimeMs();
    return [{ groups: guarded.groups, remainingMs }];
  }
  private goneForGood(): readonly bigint[] {
    const held = new Set([...this.modules.values()].flatMap(({ groups }) => groups).concat([...this.condemned]));
    return [...this.gone].filter((group) => !held.has(group));
  }

  private everything(): readonly Buffer[] {
    const all = [...this.modules.keys()].flatMap((module) => this.guardedBy(module));
    if (this.condemned.size > 0) all.push({ groups: [...this.condemned], remainingMs: 0 });
    const renewals = batches(all, this.goneForGood());
    if (!this.settled) return renewals;
    return [
      groupBatch(
        all.map(({ groups }) => ({ groups, remainingMs: null })),
        [],
        true,
      ),
      ...renewals,
    ];
  }

  private exchangeAll(): number {
    return this.afterwards(this.tell(this.everything()));
  }
  private exchange(changed: readonly GuardedGroups[], gone: readonly bigint[]): number {
    return this.afterwards(this.tell(batches(changed, gone)));
  }
  private afterwards(transactions: number | null): number {
    if (transactions === null) this.restoreSoon();
    else this.forgetChanges();
    return transactions ?? 0;
  }

  /** How many transactions the kernel took; null: not all of them. */
  private tell(transactions: readonly Buffer[]): number | null {
    try {
      for (const one of transactions) if (firstError(this.netlink.exchange(one)) !== 0) return null;
      return transactions.length;
    } catch {
      return null;
    }
  }
}

/** One transaction as a rule; more than one is for a host with very many applications. */
function batches(changed: readonly GuardedGroups[], gone: readonly bigint[]): readonly Buffer[] {
  const single = changed.flatMap(({ groups, remainingMs }) =>
    groups.map((group) => ({ groups: [group], remainingMs })),
  );
  const found = [];
  for (let at = 0; at < Math.max(single.length, gone.length); at += groupsPerTransactionMax)
    found.push(
      groupBatch(single.slice(at, at + groupsPerTransactionMax), gone.slice(at, at + groupsPerTransactionMax)),
    );
  return found;
}
