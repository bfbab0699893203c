/** From the definition to the one who looks. */
import type { CheckerProbe } from '../contract/index.ts';
import { assertNever } from '../contract/index.ts';
import type { Checker } from './checker.ts';
import { good } from './checker.ts';
import { httpChecker, tcpChecker } from './connections.ts';
import { interfaceChecker, isMounted, machineSurroundings, processChecker } from './factory-linux.ts';
import { diskChecker, mountChecker, pingChecker, scriptChecker, serviceChecker } from './programs.ts';
import { libvirtChecker } from './vm-libvirt.ts';
import { monitorChecker } from './vm.ts';

export interface CheckerSurroundings {
  /** Another module of this cluster runs somewhere, as far as this node knows; null: there is no such module. */
  readonly moduleRuns: (module: string) => boolean | null;
}
export type CheckerFactory = (probe: CheckerProbe, around: CheckerSurroundings) => Checker;

export const createChecker: CheckerFactory = (probe, around) => {
  switch (probe.kind) {
    case 'tcp':
      return tcpChecker(probe);
    case 'http':
      return httpChecker(probe);
    case 'process':
      return processChecker(probe);
    case 'service':
      return serviceChecker(probe);
    case 'ping':
      return pingChecker(probe);
    case 'interface':
      return interfaceChecker(probe);
    case 'mount':
      return mountChecker(probe, isMounted);
    case 'disk':
      return diskChecker(probe);
    case 'script':
      return scriptChecker(probe);
    case 'module':
      return {
        look: () => {
          const runs = around.moduleRuns(probe.module);
          return Promise.resolve(
            runs === null
              ? { code: 'not-checked', found: probe.module }
              : runs
                ? good
                : { code: 'not-running', found: '' },
          );
        },
      };
    case 'vm': {
      const { domain, monitor } = probe;
      if (domain !== null) return libvirtChecker(domain, machineSurroundings.nowMs);
      return monitorChecker(probe, monitor ?? '', machineSurroundings);
    }
    default:
      return assertNever(probe);
  }
};
