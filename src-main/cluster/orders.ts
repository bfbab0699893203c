/**
 * Orders of a person to a module: the same from the command line and from a screen. Given to the agents, which record them; what comes of
 * them is told by the status. Every order may be given twice, by two people as well: an agent that is already there has nothing to do.
 */
import { userInfo } from 'node:os';
import { assertNever, Fault } from '../../agent/contract/fault.ts';
import type { ClusterStatus } from '../../agent/contract/status.ts';
import type { Order } from '../app-api/clusters.ts';
import type { ClusterAccess } from './access.ts';

type WithoutCluster<T> = T extends unknown ? Omit<T, 'cluster'> : never;
/** Which cluster it is, the access knows. */
export type ModuleOrder = WithoutCluster<Order>;

export type ModuleStatus = ClusterStatus['modules'][number];

const orderTimeoutMs = 30_000;

/** Not being reachable is a circumstance of an order; any other fault is the answer to it. */
const unreachableCodes = [
  'ssh-unreachable',
  'connection-lost',
  'agent-not-answering',
  'timed-out',
  'not-configured',
  'laptop-offline',
];

/** Fault: no-such-module. */
export async function moduleStatus(access: ClusterAccess, name: string): Promise<ModuleStatus> {
  const status = await access.status();
  const module = status.modules.find((one) => one.name === name);
  if (module) return module;
  const known = status.modules.map((one) => one.name);
  throw new Fault(
    'no-such-module',
    {
      message: `There is no module ${name}.`,
      remedy: known.length === 0 ? 'No module is set up.' : `Write one of: ${known.join(', ')}.`,
    },
    { module: name },
  );
}

export function runningOn(module: ModuleStatus): string | null {
  return module.nodes.find((node) => node.state === 'primary' || node.state === 'alone')?.name ?? null;
}

export interface GivenOrder {
  readonly told: readonly string[];
  /** Could not be reached. */
  readonly notTold: readonly { readonly node: string; readonly fault: Fault }[];
}

/** One that cannot be reached is named; only when none can be it is a failure. */
async function tellAll(access: ClusterAccess, tell: (node: string) => Promise<unknown>): Promise<GivenOrder> {
  const { nodes } = access;
  const results = await Promise.allSettled(nodes.map((node) => tell(node)));
  const told: string[] = [];
  const notTold: { node: string; fault: Fault }[] = [];
  nodes.forEach((node, index) => {
    const result = results[index];
    if (result?.status === 'rejected') notTold.push({ node, fault: Fault.from(result.reason) });
    else told.push(node);
  });
  const [first] = notTold;
  if (first && told.length === 0) throw first.fault;
  return { told, notTold };
}

async function tellOne(
  access: ClusterAccess,
  node: string,
  method: 'restart' | 'swap',
  module: string,
): Promise<GivenOrder> {
  await access.call(node, method, { module }, orderTimeoutMs);
  return { told: [node], notTold: [] };
}

function nameOfThisUser(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // a user without an entry, as in containers
  }
}

/** Returns when the order is recorded. Faults: those of the agents and of the connections, no-primary. */
export async function giveOrder(access: ClusterAccess, order: ModuleOrder): Promise<GivenOrder> {
  const { module } = order;
  switch (order.kind) {
    case 'start':
    case 'stop':
      return tellAll(access, (node) => access.call(node, order.kind, { module }, orderTimeoutMs));
    case 'maintenance':
      return tellAll(access, (node) => access.call(node, 'maintenance', { module, on: order.on }, orderTimeoutMs));
    case 'restart':
      return tellOne(access, await access.primaryOf(module), 'restart', module);
    case 'swap':
      // Away from where the person saw it: whoever ordered the same a moment before must not see it come back.
      return tellOne(access, order.from ?? (await access.primaryOf(module)), 'swap', module);
    case 'promote': {
      const params = { module, acceptDataLoss: true, orderedBy: nameOfThisUser() } as const;
      await access.call(order.node, 'promote', params, orderTimeoutMs);
      return { told: [order.node], notTold: [] };
    }
    default:
      return assertNever(order);
  }
}

/** The refusal among the answers of the nodes, when there is one. */
export function refusalIn(given: GivenOrder): Fault | undefined {
  return given.notTold.find(({ fault }) => !unreachableCodes.includes(fault.code))?.fault;
}
