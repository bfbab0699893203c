/**
 * When two worlds are the same. Instants count by their distance from their own clock, request numbers by their distance from the newest one,
 * sentences not at all. What lies further back than any duration of the core compares with is "long ago".
 */
import type { MessageBody, VolumeRecord } from '../../../agent/contract/index.ts';
import { bootIdOf, nameOf, sides, tickMs, type Message, type NodeModel, type World } from './model.ts';

/** No duration in `timing` tells instants apart that lie further back, and two of them are never compared with one another. */
const longAgoTicks = 5;

/** For people only, or said elsewhere in the key. */
const skipped = new Set([
  'identity',
  'message',
  'nextNumber',
  'runId',
  'runningSinceMs',
  'unprotectedSinceMs',
  'wasProtected',
  'peerWasAlive',
  'sent',
  'number',
  'resync',
  'evidence',
  'memoryBoot',
  // Used in the step that brings it.
  'answersUntilMs',
]);

function write(value: unknown, name: string, clockMs: number): string {
  switch (typeof value) {
    case 'number':
      return name.endsWith('Ms') ? age(value, clockMs) : String(value);
    case 'string':
      return value;
    case 'boolean':
      return value ? '+' : '-';
    case 'object': {
      if (value === null) return '0';
      let text = '{';
      if (Array.isArray(value)) {
        for (const one of value as readonly unknown[]) text += `${write(one, name, clockMs)},`;
        return `${text}}`;
      }
      // A generation is told by its id.
      for (const key in value) {
        const one = (value as Readonly<Record<string, unknown>>)[key];
        // As good as absent.
        if (skipped.has(key) || one === undefined) continue;
        text += isOver(key, one, clockMs) ? 'n,' : `${write(one, name === 'heardMs' ? name : key, clockMs)},`;
      }
      return `${text}}`;
    }
    default:
      return '?';
  }
}

/** A lease, a grant or a timer that has run out is as good as none. */
function isOver(key: string, value: unknown, clockMs: number): boolean {
  if (key === 'kernelLeaseMs' || key === 'tickDueMs' || key === 'quietUntilMs' || key === 'nextSeekMs')
    return (value as number) <= clockMs;
  return key === 'grant' && value !== null && (value as { untilMs: number }).untilMs <= clockMs;
}

function age(instantMs: number, clockMs: number): string {
  if (instantMs === 0) return 'n';
  const ticks = (instantMs - clockMs) / tickMs;
  return ticks <= -longAgoTicks ? 'z' : String(ticks);
}

export interface Hash {
  readonly high: number;
  readonly low: number;
}

/** cyrb53, both halves kept: 64 bits. */
function hash(text: string): Hash {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return { high: high >>> 0, low: low >>> 0 };
}

const nodeKeys = new WeakMap<NodeModel, string>();

function nodeKey(node: NodeModel): string {
  let text = nodeKeys.get(node);
  if (text === undefined) {
    const { mirror, side: _side, clockMs, boots: _boots, record, plan, ...rest } = node;
    // The machine's own copy of the record differs from the disk only for a role of an earlier boot, which it forgets at once.
    const machine = mirror === null ? 'down' : write(mirror, '', clockMs);
    const current = record.activeBoot === `b${String(node.boots)}`;
    const disk = write({ ...record, activeBoot: current }, '', clockMs);
    const running =
      plan === null ? 'no' : `${String(plan.id === mirror?.runId)}${write({ ...plan, id: 0 }, '', clockMs)}`;
    const memories = [node.volume.record, mirror?.volumes?.[0]?.record].map((one) => memoryKey(node, one)).join('');
    text = hashText(`${machine}|${disk}|${running}|${memories}|${write(rest, '', clockMs)}`);
    nodeKeys.set(node, text);
  }
  return text;
}

/** Boots are not counted: all that matters is whether it is this one. */
function memoryKey(node: NodeModel, record: VolumeRecord | null | undefined): string {
  if (record?.memoryBoot === undefined) return 'n';
  return record.memoryBoot === bootIdOf(node) ? 'c' : 'o';
}

function hashText(text: string): string {
  const { high, low } = hash(text);
  return `${high.toString(36)}.${low.toString(36)}`;
}

/** Distance of a request's number from the next one of the process that made it; of an older process: the number itself. */
function distance(world: World, candidate: string, session: string | null, number: number): string {
  const node = world.nodes[candidate === nameOf(0) ? 0 : 1];
  const { mirror } = node;
  if (mirror === null || (session !== null && session !== mirror.identity.session)) return `x${String(number)}`;
  return String(mirror.nextNumber - number);
}

const bodyKeys = new WeakMap<MessageBody, Map<number, string>>();

function bodyKey(body: MessageBody, clockMs: number): string {
  let byClock = bodyKeys.get(body);
  if (byClock === undefined) bodyKeys.set(body, (byClock = new Map<number, string>()));
  let text = byClock.get(clockMs);
  if (text === undefined) byClock.set(clockMs, (text = write(body, '', clockMs)));
  return text;
}

function messageKey(world: World, message: Message): string {
  const { body, from, to } = message;
  if (body.kind === 'heartbeat') return bodyKey(body, 0);
  const asker = body.kind === 'vote-reply' ? to : from;
  if (asker === 'w') return '';
  const session = 'session' in body ? (body.session ?? null) : null;
  const { mirror, clockMs } = world.nodes[asker];
  const ballot = from === 'w' || to === 'w' ? mirror?.ballots.witness : mirror?.ballots.peer;
  const sent = body.kind === 'vote-release' ? undefined : ballot?.sent.find((one) => one.number === body.number);
  const asked = sent === undefined ? '-' : age(sent.atMs, clockMs);
  return `${bodyKey(body, 0)}#${distance(world, nameOf(asker), session, body.number)}@${asked}`;
}

export function keyOf(world: World): Hash {
  const { nodes, witness, budget } = world;
  let text = '';
  for (const side of sides) {
    const node = nodes[side];
    text += `${nodeKey(node)}/${String((node.clockMs - witness.clockMs) / tickMs)}`;
    const grant = node.mirror?.voter.grant ?? null;
    if (grant !== null && grant.untilMs > node.clockMs)
      text += distance(world, grant.holder, grant.session, grant.number);
  }
  const { grant } = witness.voter;
  text += write(witness, '', witness.clockMs);
  if (grant !== null && grant.untilMs > witness.clockMs)
    text += distance(world, grant.holder, grant.session, grant.number);
  for (const message of world.slots) text += message === null ? '.' : messageKey(world, message);
  text += world.stray === null ? '.' : messageKey(world, world.stray);
  const { crashes, cuts, freezes, strays, drifts, failures, orders } = budget;
  text += String([crashes, cuts, freezes, strays, drifts, failures, orders, world.severed, world.ticksLeft]);
  return hash(text);
}
