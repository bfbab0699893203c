/** What may be said of the nodes now, given what was read of them and when. Pure. Old news is never passed on as new. */
import { Fault, type FaultRecord, type NodeStatus } from '../../agent/contract/index.ts';
import type { NodeObservation } from '../cluster/index.ts';
import type { NodeNews } from './node-watch.ts';

export interface WatchedNode {
  readonly name: string;
  readonly news: NodeNews;
}

/** Beyond the time between two readings: a server that is busy may take a while to answer. */
const patienceMs = 4000;
/** The other node does not hear it any more: then a reading that is overdue means the same. */
const patienceWhenSilentMs = 1000;

function isFresh(news: NodeNews, nowMs: number, limitMs: number): boolean {
  return news.status !== null && nowMs - news.readAtMs <= limitMs;
}

function hears(informant: NodeStatus, name: string): boolean {
  return informant.peer.name !== name || informant.peer.alive;
}

function whyNot(node: WatchedNode): FaultRecord {
  if (node.news.fault !== null) return node.news.fault;
  const details = { node: node.name };
  return node.news.status === null
    ? new Fault('not-answered-yet', { message: `${node.name} has not answered yet.` }, details).toRecord()
    : new Fault('timed-out', { message: `${node.name} did not answer in time.` }, details).toRecord();
}

export function observationsOf(nodes: readonly WatchedNode[], nowMs: number, paceMs: number): NodeObservation[] {
  const usual = nodes.filter(({ news }) => isFresh(news, nowMs, paceMs + patienceMs));
  return nodes.map((node): NodeObservation => {
    const { name, news } = node;
    const silent = usual.some(
      (other) => other.name !== name && other.news.status !== null && !hears(other.news.status, name),
    );
    const fresh = isFresh(news, nowMs, paceMs + (silent ? patienceWhenSilentMs : patienceMs));
    return {
      name,
      status: fresh ? news.status : null,
      fault: fresh ? null : whyNot(node),
      lastSeen: news.lastSeen,
      agentVersion: news.agentVersion,
    };
  });
}

const unreachableCodes = ['ssh-unreachable', 'connection-lost', 'timed-out', 'not-answered-yet'];

/** Codes that a person can mend here and now come first: the one thing to do. */
function rank(code: string): number {
  if (unreachableCodes.includes(code)) return 2;
  return code === 'agent-not-answering' ? 1 : 0;
}

/** No node answers: one fault for the cluster. `offline`: this laptop has no way to anybody. */
export function faultOfAll(observations: readonly NodeObservation[], offline: boolean): FaultRecord {
  const faults = observations.flatMap(({ fault }) => (fault === null ? [] : [fault]));
  const nodes = observations.map(({ name }) => name);
  const said = faults.map(({ message }) => message);
  const [worst] = faults.toSorted((a, b) => rank(a.code) - rank(b.code));
  if (worst && rank(worst.code) === 0) return worst;
  if (offline) {
    return new Fault(
      'laptop-offline',
      {
        message: 'This computer is on no network from which the servers can be reached.',
        remedy: 'Connect the cable or the wireless network. The servers go on by themselves meanwhile.',
      },
      { nodes, said },
    ).toRecord();
  }
  if (faults.length > 0 && faults.every(({ code }) => code === 'agent-not-answering')) {
    return new Fault(
      'agents-not-answering',
      {
        message: 'SSH works, but the agent answers on neither server.',
        remedy:
          'Look at `systemctl status holdfastd` on both servers. After an installation that was interrupted, go on with it.',
      },
      { nodes, said },
    ).toRecord();
  }
  return new Fault(
    'servers-unreachable',
    {
      message: 'Neither server can be reached from here.',
      remedy: 'Check that both have power, and that this computer is on their network.',
    },
    { nodes, said },
  ).toRecord();
}
