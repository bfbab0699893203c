/** The one sentence on top of a cluster: is the data protected, since when not, why, and what to do. Pure. */
import type { ClusterStatus } from '../../agent/contract/status.ts';

type Status = Omit<ClusterStatus, 'sentence'>;

function timeOf(iso: string): string {
  const date = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

function minutesLeft(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return '';
  return seconds < 60 ? `: ${Math.max(1, Math.round(seconds))} s left` : `: ${Math.ceil(seconds / 60)} min left`;
}

function sinceText(since: string | undefined | null): string {
  return since === undefined || since === null ? '' : ` since ${timeOf(since)}`;
}

function endSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Of the application: the data is safe, and yet somebody should look. */
const unwellReasons: readonly (string | undefined)[] = [
  'checker-failed',
  'restart-limit',
  'checker-wait',
  'start-failed',
];

export function sentenceOf(status: Status): string {
  const views = status.modules.flatMap((module) => module.nodes.map((node) => ({ module, node })));
  const forked = views.find(({ node }) => node.data === 'forked');
  if (forked) {
    return (
      `Needs you: both servers changed data of ${forked.module.name} while they could not see each other. Nothing was deleted. ` +
      'Decide whose copy is the good one, then: holdfast uninstall, and holdfast apply FILE --good NODE. The other copy is kept aside.'
    );
  }
  const silent = status.nodes.filter((node) => !node.reachable);
  if (silent.length === status.nodes.length) {
    if (silent.every((node) => node.fault?.code === 'agent-not-answering')) {
      return 'Unknown: the agent answers on neither server. After an installation that was interrupted, apply the file again.';
    }
    const seen = silent.map((node) => node.lastSeen).filter((at) => at !== null);
    const last = seen.sort().at(-1);
    return `Unknown: neither server can be reached from here${last === undefined ? '' : ` since ${timeOf(last)}`}.`;
  }
  if (status.modules.length === 0) return 'No module is set up.';
  const resync = views.find(({ node }) => node.data === 'resynchronising');
  const maintenance = status.modules.filter((module) => module.maintenance);
  if (status.protected) {
    if (resync) return `Protected, resynchronising${minutesLeft(resync.node.resync?.etaSeconds)}.`;
    const unwell = views.find(({ node }) => unwellReasons.includes(node.reason))?.node;
    if (unwell !== undefined) return endSentence(`Protected, but on ${unwell.name}: ${unwell.message ?? ''}`);
    const { kind, reachable, address } = status.witness;
    if (kind === 'none' || reachable !== false) return 'Protected.';
    return kind === 'voting'
      ? 'Protected, but the witness does not answer: a second failure would stop the application.'
      : `Protected, but ${address ?? 'the ping witness'} does not answer the pings of both servers: a second failure would stop the application.`;
  }
  if (maintenance.length > 0) {
    return `Not protected: ${maintenance.map((module) => module.name).join(', ')} in maintenance. End it when the work is done.`;
  }
  const open = status.modules.filter((module) => !module.protected);
  const inOpen = views.filter(({ module }) => open.includes(module));
  if (resync) {
    return `Not protected${sinceText(resync.node.since)}: ${resync.node.name} resynchronises${minutesLeft(resync.node.resync?.etaSeconds)}. Nothing to do.`;
  }
  if (inOpen.every(({ node }) => node.state === 'stopped')) {
    const names = open.map((module) => module.name).join(', ');
    return `Stopped: ${names} ${open.length === 1 ? 'runs' : 'run'} on neither server.`;
  }
  const worst =
    inOpen.find(({ node }) => node.state === 'wait') ??
    inOpen.find(({ node }) => node.state === 'unknown') ??
    inOpen.find(({ node }) => node.state === 'stopped') ??
    inOpen.find(({ node }) => node.state === 'transient') ??
    inOpen.find(({ node }) => node.message !== undefined);
  if (!worst) return 'Not protected.';
  const { node } = worst;
  const why = node.message ?? `${node.name} is ${node.state}`;
  return endSentence(`Not protected${sinceText(node.since)} — ${why}`);
}
