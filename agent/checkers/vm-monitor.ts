/** What is asked of QEMU and of the agent in its guest, and what their answers mean. */
import { randomInt } from 'node:crypto';
import * as z from 'zod';
import type { JsonObject, JsonSocket } from './json-socket.ts';

export interface MachineReport {
  /** `running`, or why not: `paused`, `io-error`, `guest-panicked` … */
  readonly status: string;
  readonly kvm: boolean;
  /** Of the virtual processors, by the number of the thread. */
  readonly threads: readonly number[];
  /** Of all disks together, since the machine was made. */
  readonly diskOperations: number;
  /** The guest has the port of its agent open; null: QEMU does not say. */
  readonly agentOpen: boolean | null;
}

const statusSchema = z.object({ status: z.string() });
const kvmSchema = z.object({ enabled: z.boolean() });
const processorsSchema = z.array(z.object({ 'thread-id': z.number().int() }));
const disksSchema = z.array(z.object({ stats: z.record(z.string(), z.unknown()) }));
const portsSchema = z.array(z.object({ filename: z.string(), 'frontend-open': z.boolean() }));

/** Pure. Whatever ends in `_operations` counts what the guest asked for, failed or not. */
export function diskOperationsOf(value: unknown): number {
  return disksSchema
    .parse(value)
    .flatMap(({ stats }) => Object.entries(stats))
    .reduce((sum, [key, count]) => (key.endsWith('_operations') && typeof count === 'number' ? sum + count : sum), 0);
}

/** Pure. `disconnected:unix:/run/vm/qga.sock,server=on` */
export function agentOpenOf(value: unknown, paths: readonly string[]): boolean | null {
  const port = portsSchema
    .parse(value)
    .find(({ filename }) => paths.some((path) => `${filename},`.includes(`unix:${path},`)));
  return port?.['frontend-open'] ?? null;
}

/** Events and the answers to others come in between. */
async function command(socket: JsonSocket, execute: string): Promise<unknown> {
  const id = `holdfast-${randomInt(2 ** 40)}`;
  socket.send({ execute, id });
  const answer = await socket.receive((object) => object['id'] === id);
  if (!('return' in answer)) throw Object.assign(new Error(execute), { code: explanation(answer) });
  return answer['return'];
}

function explanation(answer: JsonObject): string {
  const error = z.object({ desc: z.string() }).safeParse(answer['error']);
  return error.success ? error.data.desc : 'an error without words';
}

/** `agent`: how the socket of the guest agent may be called; none: not asked about. */
export async function askMonitor(socket: JsonSocket, agent: readonly string[]): Promise<MachineReport> {
  await socket.receive((object) => 'QMP' in object);
  await command(socket, 'qmp_capabilities');
  const { status } = statusSchema.parse(await command(socket, 'query-status'));
  if (status !== 'running') return { status, kvm: false, threads: [], diskOperations: 0, agentOpen: null };
  return {
    status,
    agentOpen: agent.length === 0 ? null : agentOpenOf(await command(socket, 'query-chardev'), agent),
    kvm: kvmSchema.parse(await command(socket, 'query-kvm')).enabled,
    threads: processorsSchema.parse(await command(socket, 'query-cpus-fast')).map((one) => one['thread-id']),
    diskOperations: diskOperationsOf(await command(socket, 'query-blockstats')),
  };
}

/** Ends what somebody else has begun to say to the agent and never finished. */
const flush = Uint8Array.of(0xff);

/** The line is that of everybody before us: what comes up to our own number is not ours. */
export async function askAgent(socket: JsonSocket): Promise<void> {
  const id = randomInt(2 ** 40);
  socket.send({ execute: 'guest-sync', arguments: { id } }, flush);
  await socket.receive((object) => object['return'] === id, true);
  socket.send({ execute: 'guest-ping' });
  // Who says that it may not answer this has answered.
  await socket.receive((object) => 'return' in object || 'error' in object);
}
