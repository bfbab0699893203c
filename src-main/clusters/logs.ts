/** Journal lines of one node: from its agent, or over SSH alone when that does not answer, which is when they are wanted most. */
import { Fault } from '../../agent/contract/index.ts';
import type { NodeWatch } from './node-watch.ts';

const journalTimeoutMs = 60_000;
const agentIsAway = ['agent-not-answering', 'version-skew', 'not-configured', 'logs-unavailable', 'timed-out'];
const units = ['holdfastd', 'holdfast-replicator', 'holdfast-witness'];

export async function readLogs(node: NodeWatch, lines: number, signal: AbortSignal): Promise<string[]> {
  try {
    return await node.call('logs', { lines }, journalTimeoutMs);
  } catch (error) {
    if (!agentIsAway.includes(Fault.from(error).code)) throw error;
  }
  const transport = await node.link.transport();
  const unitArguments = units.map((unit) => `--unit=${unit}.service`).join(' ');
  const script = `journalctl --no-pager --output=short-iso-precise --lines=${lines} ${unitArguments}`;
  const result = await transport.command(script, { elevated: true, signal, timeoutMs: journalTimeoutMs });
  if (result.code !== 0) {
    throw new Fault('logs-unavailable', { message: `journalctl failed: ${result.stderr.trim()}` }, { node: node.name });
  }
  return result.stdout.split('\n').filter((line) => line !== '');
}
