/** The conversation with the agent of a node, through an SSH channel: `holdfast connect` is its only door. */
import { controlApi, type ControlApi } from '../../agent/contract/control-api.ts';
import { Fault } from '../../agent/contract/fault.ts';
import { createClient, type RpcClient } from '../../agent/contract/rpc.ts';
import { linePort, type Transport } from '../ssh/index.ts';
import { layout } from './layout.ts';

export type AgentClient = RpcClient<ControlApi>;

const helloTimeoutMs = 15_000;

/** Faults: agent-not-answering, version-skew, and those of the transport. */
export async function openAgent(
  transport: Transport,
  programVersion: string,
  signal?: AbortSignal,
): Promise<{ client: AgentClient; agentVersion: string }> {
  const script = `[ -x ${layout.command} ] || { echo 'Holdfast is not installed.' >&2; exit 127; }; exec ${layout.command} connect`;
  const stream = await transport.connect(script, { elevated: true, signal });
  const client = createClient(controlApi, linePort(stream), programVersion);
  let timer: NodeJS.Timeout | undefined;
  const silent = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(agentNotAnswering(transport.host)), helloTimeoutMs);
  });
  try {
    const { programVersion: agentVersion } = await Promise.race([client.ready, silent]);
    return { client, agentVersion };
  } catch (error) {
    client.close();
    const fault = Fault.from(error);
    throw fault.code === 'connection-lost' ? agentNotAnswering(transport.host, fault) : fault;
  } finally {
    clearTimeout(timer);
  }
}

export function agentNotAnswering(host: string, cause?: unknown): Fault {
  return new Fault(
    'agent-not-answering',
    {
      message: `SSH to ${host} works, but the agent there does not answer.`,
      remedy: 'Look at `systemctl status holdfastd` on that server, or apply the configuration again.',
    },
    { host },
    cause,
  );
}
