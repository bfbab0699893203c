/** What has to be true before an action of the machine is executed: what it says is on disk, what it gives away it does not use. */
import type { Generation } from '../../agent/contract/index.ts';
import type { MirrorAction, ModuleRecord } from '../../agent/core/index.ts';
import { behind, includesGeneration, sameGeneration } from '../../agent/core/voter.ts';

/** A node as it is, whatever its machine believes. */
export interface NodeFacts {
  readonly name: string;
  /** On disk. */
  readonly record: ModuleRecord;
  readonly bootId: string;
  /** The application or the address is there, and the kernel lets it answer. */
  readonly mayAnswer: boolean;
  /** The kernel lets it answer. */
  readonly leased: boolean;
  /** No application, no address, no mount. */
  readonly idle: boolean;
  /** What the other voters have on disk; null: there is no witness, nobody has to know. */
  readonly storedElsewhere: readonly (Generation | null)[] | null;
}

/** What is wrong with it; null: nothing. */
export function orderBreach(node: NodeFacts, action: MirrorAction): string | null {
  const { name, record, bootId } = node;
  switch (action.type) {
    case 'send':
      return sendingBreach(node, action);
    case 'extend-lease':
      return record.activeBoot === bootId ? null : `order: ${name} takes a lease before its role is on disk`;
    case 'run':
      if (action.steps.every((step) => step.do !== 'mount')) return null;
      if (!node.leased) return `lease: ${name} starts the application without one`;
      return record.activeBoot === bootId ? null : `order: ${name} starts the application before its role is on disk`;
    case 'go-alone':
      return aloneBreach(node, action.generation);
    default:
      return null;
  }
}

function sendingBreach(
  { name, record, bootId, mayAnswer, idle }: NodeFacts,
  { to, message }: Extract<MirrorAction, { type: 'send' }>,
): string | null {
  if (message.kind === 'vote-reply' && message.granted) {
    if (mayAnswer) return `invariant 1: ${name} gives its vote away while its own lease runs`;
    if (record.grantedMs === null) return `order: ${name} grants a lease that is not noted on its disk`;
    const onDisk = message.newest === null || (record.newest?.number ?? 0) >= message.newest.number;
    return onDisk ? null : `order: ${name} promised a generation that is not on its disk`;
  }
  if (message.kind === 'vote-request' && to === 'witness' && !message.order && record.activeBoot !== bootId) {
    const promised = behind(message.generation, record.newest) && !includesGeneration(record.pending, record.newest);
    if (promised)
      return `invariant 3: ${name} asks the witness for what only the node can give that it promised more to`;
  }
  if (message.kind === 'vote-request' && message.store !== null) {
    const onDisk = includesGeneration(record.pending, message.store) || sameGeneration(record.newest, message.store);
    return onDisk ? null : `order: ${name} asks for a generation before the wish is on its disk`;
  }
  if (message.kind === 'vote-release' && !(idle && record.activeBoot === null))
    return `invariant 5: ${name} gives its votes back before everything is stopped`;
  return null;
}

function aloneBreach({ name, record, storedElsewhere }: NodeFacts, generation: Generation): string | null {
  if (!sameGeneration(record.newest, generation))
    return `order: ${name} goes alone before the promise is on its own disk`;
  if (storedElsewhere === null) return null;
  return storedElsewhere.some((newest) => newest !== null && newest.number >= generation.number)
    ? null
    : `invariant 3: ${name} goes on alone although no voter has stored the new generation`;
}
