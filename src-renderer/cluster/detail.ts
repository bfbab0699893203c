/** The technical detail of a finding, for whoever has to look it up: codes, times and the agent's own sentence. Pure. */
import type { ModuleOnNode } from '../../agent/contract/index.ts';
import type { Finding, NodeFault } from './findings.ts';

function ofFault({ code, message, remedy, details = {} }: NodeFault): string[] {
  const facts = Object.entries(details).map(
    ([key, value]) => `${key}: ${Array.isArray(value) ? value.join('; ') : String(value)}`,
  );
  return [`code: ${code}`, message, remedy ?? '', ...facts];
}
export function linesOfNode(on: ModuleOnNode): string[] {
  return [
    `node: ${on.name}`,
    `state: ${on.state}`,
    `data: ${on.data}`,
    on.reason === undefined ? '' : `reason: ${on.reason}`,
    on.since === undefined ? '' : `since: ${on.since}`,
    on.message ?? '',
  ];
}

/** '' : there is nothing behind it. */
export function detailOf(finding: Finding): string {
  const lines = [
    ...('module' in finding && finding.module !== null ? [`module: ${finding.module}`] : []),
    ...('on' in finding ? linesOfNode(finding.on) : []),
    ...('fault' in finding && finding.fault !== null ? ofFault(finding.fault) : []),
  ].filter((line) => line !== '');
  return lines.length < 2 ? '' : lines.join('\n');
}
