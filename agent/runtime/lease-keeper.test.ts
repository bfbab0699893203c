import { expect, test } from 'vitest';
import type { ModuleDefinition } from '../contract/index.ts';
import { lineJournal } from './journal.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import type { RuntimePorts } from './ports.ts';

/** A kernel that writes down what it is told to guard. */
function keeper(engaged: boolean) {
  const told: string[] = [];
  const groups = [7n];
  const ports = {
    clock: { bootMs: () => 1000, wallMs: () => 0 },
    journal: lineJournal(() => undefined, false),
    replicator: { call: async () => undefined },
    scripts: { groups: () => groups },
    fence: {
      condemn: async (module: string) => void told.push(`${module} condemned`),
      guard: async (module: string, guarded: readonly bigint[], deadlineMs: number | null) =>
        void told.push(`${module} ${guarded.join()} ${deadlineMs}`),
    },
  } as unknown as RuntimePorts;
  const definition = { name: 'db', vips: [] } as unknown as ModuleDefinition;
  return { told, groups, lease: new LeaseKeeper(ports, () => definition, engaged) };
}

test('what runs under the control groups of an application is guarded from its start to its end only', async () => {
  const { told, lease } = keeper(false);
  await lease.extend(2000);
  await lease.cut();
  expect(told).toEqual([]);
  lease.engage();
  await lease.extend(3000);
  await lease.release();
  expect(told).toEqual(['db 7 3000', 'db  0']);
  // A poststop script, a service that runs on beside the module: neither renewed nor cut.
  await lease.extend(4000);
  await lease.cut();
  await lease.guardNow();
  expect(told).toHaveLength(2);
});

test('a control plane that comes back holds what was guarded without ending the lease that runs in the kernel', async () => {
  const { told, lease } = keeper(true);
  await lease.hold();
  await lease.extend(2000);
  await lease.cut();
  expect(told).toEqual(['db 7 null', 'db 7 2000', 'db 7 0']);
});

test('what is ended while it is cut off stays so', async () => {
  const { told, lease, groups } = keeper(true);
  await lease.extend(2000);
  await lease.cut();
  groups.splice(0);
  await lease.guardNow();
  await lease.condemn();
  await lease.cut();
  expect(told).toEqual(['db 7 2000', 'db 7 0', 'db condemned']);
});
