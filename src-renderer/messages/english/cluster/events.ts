/** The timeline, by event code. English agents tell it themselves, with more in it; these words stand where there is no message. */
import type { TimelineEvent } from '../../../../agent/contract/index.ts';
import type { EventWordings } from '../../cluster-words.ts';

const node = (event: { readonly node: string }): string => event.node;

const checker = (event: TimelineEvent): string => String(event.evidence['checker'] ?? '');

const decisions: Readonly<Record<string, (node: string, peer: string) => string>> = {
  tell: () => 'nothing follows, as configured',
  restart: (here) => `the application is restarted on ${here}`,
  'stop-start': (here) => `the module is stopped and started again on ${here}`,
  failover: (_here, peer) => `the application goes to ${peer}`,
  wait: (here) => `${here} waits until it is good again`,
  'keep-running': (here, peer) => `${peer} cannot take over, so the application is left as it is on ${here}`,
  stop: () => 'both servers have failed too often, so the application is stopped and waits for a person',
};
function checkerSentence(event: TimelineEvent, peer: string): string {
  const follows = decisions[String(event.evidence['decision'])]?.(node(event), peer);
  const failed = `The checker “${checker(event)}” failed ${String(event.evidence['failures'] ?? '')} times in a row on ${node(event)}`;
  return follows === undefined ? `${failed}.` : `${failed}: ${follows}.`;
}

function orderEnded(here: string, peer: string, because: unknown): string {
  const reasons: Readonly<Record<string, string>> = {
    'peer-runs': `: ${peer} runs the application`,
    'peer-returned': `: ${peer} is back, with a copy that has what this one lacks`,
    booted: `: ${here} was switched off while it waited for another module`,
  };
  return `The order that ${here} uses its copy ended before it was obeyed${reasons[String(because)] ?? ''}.`;
}

const worded = {
  // --- orders of people
  'ordered-start': () => 'The order to start was given.',
  'ordered-stop': () => 'The order to stop was given.',
  'server-goes-down': (event) => `${node(event)} goes down: the application is stopped there.`,
  'ordered-restart': () => 'The order to restart the application was given.',
  'ordered-swap': (_event, peer) => `The order to move the application to ${peer} was given.`,
  'ordered-promote': (event) => `${node(event)} was ordered to use its copy although it may lack acknowledged writes.`,
  'order-ended': (event, peer) => orderEnded(node(event), peer, event.evidence['because']),
  maintenance: ({ evidence }) =>
    evidence['on'] === true ? 'Maintenance began: nothing is moved by itself.' : 'Maintenance ended.',
  'data-chosen': (event) => `The data on ${node(event)} is the good copy.`,
  'data-blank': (event) => `${node(event)} will be filled with the data of the other server.`,
  // --- who runs the application
  'becomes-primary': (event) => `${node(event)} takes the application.`,
  'became-primary': (event) => `${node(event)} runs the application.`,
  'became-secondary': (event, peer) => `${node(event)} is secondary: it receives the changes of ${peer}.`,
  alone: (event, peer) => `${node(event)} goes on alone: ${peer} does not get the changes any more.`,
  'generation-renewed': (event, peer) =>
    `${peer} remembers a version of the data that nobody holds any more: ${node(event)} goes on under a newer one.`,
  failback: (_event, peer) => `${peer} is the preferred server and ready: the application goes back to it.`,
  'disk-failover': (event, peer) =>
    `The disk of ${String(event.evidence['paths'] ?? 'the data')} on ${node(event)} failed; ${peer} has everything that was confirmed, and takes over.`,
  resumed: (event) => `The agent of ${node(event)} was restarted and goes on with the running application.`,
  'replicator-restarted': (event) =>
    `The replication process of ${node(event)} was started again; the application waited for its files meanwhile.`,
  'replicator-silent': (event) =>
    `The replication process of ${node(event)} did not answer any more and was killed; it is started again.`,
  'replicator-waits-for-disk': (event) =>
    `The replication process of ${node(event)} does not answer: it waits for a disk. Look at the kernel log of ${node(event)}.`,
  'application-stopped': (event) => `The application was stopped on ${node(event)}.`,
  'start-failed': (event) => `The application did not start on ${node(event)}.`,
  'stop-escalated': () => 'The stop command failed: the application is ended by force.',
  'force-stop-failed': () => 'The forced stop failed as well.',
  'holders-killed': () => 'Processes that still used the directory had to be ended.',
  'leftovers-killed': () => 'Processes that still ran after the stop command had to be ended.',
  'transition-failed': () => 'The command that tells others of a change failed.',
  // --- checkers
  'module-missing': ({ evidence }) => `Waits until ${String(evidence['modules'] ?? 'another module')} runs.`,
  'checker-failed': (event, peer) => checkerSentence(event, peer),
  'checker-recovered': (event) => `The checker “${checker(event)}” is good again on ${node(event)}.`,
  'checker-unusable': (event) =>
    `The checker “${checker(event)}” cannot look on ${node(event)}, and counts for nothing.`,
  // --- what was seen
  'disk-silent': (event) => `The disk of ${node(event)} does not answer.`,
  'peer-heard': (_event, peer) => `${peer} is heard.`,
  'peer-silent': (_event, peer) => `${peer} is silent.`,
  protected: () => 'Protected: both servers have every acknowledged write.',
  'not-protected': () => 'Not protected any more.',
  // --- comparing the copies
  'verify-began': () => 'The copies of both servers are compared.',
  'verify-equal': ({ evidence }) =>
    `Both copies of ${String(evidence['path'] ?? 'the data')} are equal: ${String(evidence['files'] ?? '?')} files compared.`,
  'copies-differ': ({ evidence }, peer) =>
    `The copy on ${peer} differs: ${String(evidence['differences'] ?? '')}. It is not used until it has been repaired.`,
  'verify-different': ({ evidence }) =>
    `The comparison of ${String(evidence['path'] ?? 'the data')} has ended: ${String(evidence['differing'] ?? '?')} files and directories differ.${Number(evidence['unreadable'] ?? 0) === 0 ? '' : ' The disk of this server does not read all of its copy: move the application to the other one.'}`,
  'verify-repairing': (event, peer) => `The copy on ${peer} is made equal to that on ${node(event)}.`,
  'verify-repaired': (_event, peer) => `The copy on ${peer} has been repaired.`,
  'verify-stopped': () => 'The comparison was stopped.',
  'verify-interrupted': () => 'The comparison ended before everything was compared: the servers were separated.',
  // --- what was set aside
  'kept-restored': ({ evidence }) =>
    `${evidence['path'] === '' ? 'Everything' : String(evidence['path'])} of what was set aside was copied to ${evidence['to'] === '' ? 'the living data' : String(evidence['to'])}.`,
  'kept-discarded': ({ evidence }) => `What was set aside as ${String(evidence['id'])} was removed by order.`,
  // --- the right to run
  fenced: (event) => `${node(event)} had to stop everything of this module at once.`,
  'fence-complete': (event) => `${node(event)} has stopped everything of this module.`,
  'node-reset': (event) =>
    `${node(event)} reset itself: the application could not be ended after it had lost the right to run.`,
  'fence-failed': (event) => `${node(event)} could not stop everything; it is tried again.`,
  'ping-witness-silent': (event) =>
    `The ping witness does not answer ${node(event)}: it starts nothing alone, and stops when the other server is silent as well.`,
  'ping-witness-answers': (event) => `The ping witness answers ${node(event)} again.`,
  'fence-restored': () => 'The packet filter was changed by somebody else and was set again.',
} satisfies EventWordings;
export const events: EventWordings<keyof typeof worded> = worded;
