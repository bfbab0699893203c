/** What checkers found and what follows, as English sentences; the app words its own from the same evidence. */
import { assertNever, type Finding } from '../contract/index.ts';
import type { CheckerDecision, PeerSituation } from './checkers.ts';

export function findingInWords({ code, found }: Finding): string {
  const fact = found === '' ? '' : ` (${found})`;
  switch (code) {
    case 'good':
      return 'good';
    case 'not-checked':
      return `it could not be looked at${fact}`;
    case 'refused':
      return `the connection was refused${fact}`;
    case 'unreachable':
      return `it cannot be reached${fact}`;
    case 'no-answer':
      return `no answer in time${fact}`;
    case 'broken-answer':
      return `the answer made no sense${fact}`;
    case 'wrong-status':
      return `it answered with status ${found}`;
    case 'text-missing':
      return `the answer does not contain "${found}"`;
    case 'not-running':
      return `it does not run${fact}`;
    case 'service-not-active':
      return `the service is ${found}`;
    case 'link-down':
      return `the link is ${found}`;
    case 'interface-missing':
      return 'there is no such interface';
    case 'not-mounted':
      return 'nothing is mounted there';
    case 'path-missing':
      return `it cannot be read${fact}`;
    case 'space-low':
      return `only ${found} is free`;
    case 'disk-slow':
      return `a write took ${found}`;
    case 'exit-code':
      return `it ended with exit ${found}`;
    case 'guest-silent':
      return `the guest agent does not answer${fact}`;
    case 'guest-hung':
      return `the guest hangs: neither its processors nor its disks have moved for ${found}`;
    default:
      return assertNever(code);
  }
}

/** '24 h', '90 min' */
export function spanInWords(milliseconds: number): string {
  if (milliseconds % 3_600_000 === 0) return `${milliseconds / 3_600_000} h`;
  return milliseconds % 60_000 === 0 ? `${milliseconds / 60_000} min` : `${milliseconds / 1000} s`;
}

export interface DecisionFacts {
  readonly node: string;
  readonly peer: string;
  readonly checker: string;
  readonly failures: number;
  readonly finding: Finding;
  readonly decision: CheckerDecision;
  readonly wantsFailover: boolean;
  readonly situation: PeerSituation;
  /** This one included. */
  readonly restarts: number;
  readonly limit: number;
  readonly withinMs: number;
  readonly limitReached: boolean;
}

function peerInWords(peer: string, situation: PeerSituation): string {
  switch (situation) {
    case 'ready':
      return `${peer} is ready`;
    case 'silent':
      return `${peer} is silent`;
    case 'stopped':
      return `${peer} is stopped`;
    case 'behind':
      return `${peer} does not have every write yet`;
    case 'unable':
      return `the application failed on ${peer} as well`;
    default:
      return assertNever(situation);
  }
}

export function decisionInWords(facts: DecisionFacts): string {
  const { node, peer, decision, situation } = facts;
  const times = facts.failures === 1 ? 'failed' : `failed ${facts.failures} times in a row`;
  const count = `${facts.restarts} of at most ${facts.limit} within ${spanInWords(facts.withinMs)}`;
  const limit = facts.limitReached
    ? `it was restarted ${facts.limit} times within ${spanInWords(facts.withinMs)}, which is the limit; `
    : '';
  const cannot = facts.wantsFailover ? `${peerInWords(peer, situation)}, so ` : '';
  const what = ((): string => {
    switch (decision) {
      case 'tell':
        return 'nothing follows, as configured';
      case 'restart':
        return `${cannot}the application is restarted on ${node} (${count})`;
      case 'stop-start':
        return `the module is stopped and started again on ${node} (${count})`;
      case 'failover':
        return `${limit}the application goes to ${peer}, which has every write`;
      case 'wait':
        return `${limit}${situation === 'ready' ? `the application goes to ${peer}, and ${node}` : `${node} stops the application and`} waits until the checker is good again`;
      case 'keep-running':
        return `${limit}${peerInWords(peer, situation)} and cannot take over: the application is left as it is on ${node}`;
      case 'stop':
        return `${limit}${peerInWords(peer, situation)}: the application is stopped and waits for a person`;
      default:
        return assertNever(decision);
    }
  })();
  return `The checker "${facts.checker}" ${times} on ${node}: ${findingInWords(facts.finding)}; ${what}.`;
}
