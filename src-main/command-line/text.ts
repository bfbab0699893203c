/** Words for people at a terminal. Pure. */
import type { FaultRecord } from '../../agent/contract/fault.ts';
import type { TimelineEvent } from '../../agent/contract/event.ts';
import type { ClusterStatus, ModuleOnNode } from '../../agent/contract/status.ts';

/** Columns as wide as their widest cell, two spaces between; no space at the end of a line. */
export function table(rows: readonly (readonly string[])[], indent = '  '): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)));
  return rows
    .map((row) => (indent + row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ')).trimEnd() + '\n')
    .join('');
}

export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

export function secondsText(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function timeText(iso: string): string {
  const date = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function dataText(node: ModuleOnNode): string {
  if (node.data === 'unknown') return '';
  if (node.resync === undefined) return node.data.replaceAll('-', ' ');
  const { doneBytes, totalBytes, bytesPerSecond, etaSeconds, yields } = node.resync;
  const parts = [
    totalBytes === null ? `${bytesText(doneBytes)} compared` : `${bytesText(doneBytes)} of ${bytesText(totalBytes)}`,
    ...(bytesPerSecond === null ? [] : [`${bytesText(bytesPerSecond)}/s`]),
    ...(etaSeconds === null ? [] : [`${secondsText(etaSeconds)} left`]),
    ...(yields === true ? ['yields to the application'] : []),
  ];
  return `${node.data.replaceAll('-', ' ')} (${parts.join(', ')})`;
}

/** What no witness that votes means when the servers do not see each other, in plain words: nobody should learn it on the day it happens. */
function policyLines({ kind, withoutWitness }: ClusterStatus['witness']): string[] {
  if (kind === 'voting' || withoutWitness === undefined) return [];
  if (withoutWitness === 'prefer-one-copy')
    return [
      kind === 'ping'
        ? 'one copy is preferred: nothing is taken over without a person, and a server that reaches neither the other one nor this address stops\n'
        : '\nno witness, one copy is preferred: when the primary is lost, a person has to order the other server to take over\n',
    ];
  return [
    kind === 'ping'
      ? 'it gives no vote: when only the link between the servers is cut, both run, and their data goes apart until a person chooses\n'
      : '\nno witness, availability is preferred: when the servers do not see each other, both run, and their data goes apart until a person chooses\n',
  ];
}

export function statusText(status: ClusterStatus): string {
  const lines = [`${status.protected ? '●' : '▲'} ${status.sentence}\n`];
  for (const module of status.modules) {
    const vips = module.vip.map((vip) => `${vip.address} ${vip.on === null ? 'nowhere' : `on ${vip.on}`}`);
    const facts = [...vips, ...(module.maintenance ? ['maintenance'] : [])];
    lines.push(`\n${module.name}${facts.length === 0 ? '' : `  ${facts.join(', ')}`}\n`);
    lines.push(
      table(
        module.nodes.map((node) => [
          node.name,
          node.state,
          dataText(node),
          node.message === undefined
            ? ''
            : node.since === undefined
              ? node.message
              : `${node.message.replace(/\.$/, '')} (since ${timeText(node.since)})`,
        ]),
      ),
    );
  }
  const { witness } = status;
  const answer = witness.reachable === null ? 'unknown' : witness.reachable ? 'answers' : 'does not answer';
  if (witness.kind === 'voting') lines.push(`\nwitness  ${answer}\n`);
  if (witness.kind === 'ping') lines.push(`\nping witness ${witness.address ?? ''}  ${answer}\n`);
  lines.push(...policyLines(witness));
  for (const node of status.nodes) {
    if (!node.reachable && node.fault !== undefined) {
      lines.push(`${node.name}  ${node.fault.message}\n`);
      if (node.fault.remedy !== undefined) lines.push(`${' '.repeat(node.name.length)}  ${node.fault.remedy}\n`);
    }
  }
  return lines.join('');
}

export function eventText(event: TimelineEvent): string {
  const where = event.module === null ? event.node : `${event.node} ${event.module}`;
  return `${timeText(event.at)}  ${where}  ${event.message}\n`;
}

/** What happened, then what to do. */
export function faultText(fault: FaultRecord): string {
  const problems = fault.details['problems'];
  const lines = Array.isArray(problems) && problems.length > 0 ? problems : [fault.message];
  const remedy = Array.isArray(problems) && problems.length > 0 ? '' : fault.remedy;
  return `${[...lines, ...(remedy === '' ? [] : [remedy])].join('\n')}\n`;
}
