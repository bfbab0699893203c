/** A virtual IP address on this host. The kernel's fence (fence.ts) decides whether it answers; this only puts it there. */
import type { CommandRunner } from './command-runner.ts';
import { linuxVipDriver } from './vip-linux.ts';

export interface Vip {
  readonly address: string;
  readonly prefixLength: number;
  /** null: the interface that has another address in the same subnet. */
  readonly interface: string | null;
}

export interface VipDriver {
  /**
   * Idempotent. Looks for another host that answers for the address first, unless it stands here already. The announcement is repeated in
   * the background while `stillHeld()`. Faults: vip-already-used {address, answeredBy}, vip-no-interface.
   */
  raise(vip: Vip, stillHeld: () => boolean, signal: AbortSignal): Promise<void>;
  /** Idempotent, whatever interface it is on. */
  drop(address: string): Promise<void>;
  present(address: string): Promise<boolean>;
}

export function createVipDriver(run: CommandRunner): VipDriver {
  return linuxVipDriver(run);
}
