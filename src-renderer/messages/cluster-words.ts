/** The shapes in which a cluster is put into words; both languages fill them in. */
import type { ModuleOnNode, TimelineEvent } from '../../agent/contract/index.ts';
import type { Finding, FindingKind, NodeFault } from '../cluster/findings.ts';
import type { FaultText } from './fault-words.ts';

export interface ReasonFacts {
  /** The state of the node that gives the reason. */
  readonly state: ModuleOnNode['state'];
  /** Between the two servers. */
  readonly networks: number;
}
/**
 * Why `node` is as it is; `peer` is the other one. `what` is a clause without capital and full stop: it follows "Not protected
 * since 14:02 — " or stands alone.
 */
export type ReasonWording = (node: string, peer: string, facts: ReasonFacts) => FaultText;
export type ReasonWordings<Codes extends string = string> = Readonly<Record<Codes, ReasonWording>>;

/** A finding of its own kind. */
type Of<F, K> = F extends { readonly kind: infer Kinds } ? (K extends Kinds ? F : never) : never;
export type FindingOf<K extends FindingKind> = Of<Finding, K>;

/** What a wording of a finding asks for: times and reasons in the same language. */
export interface Telling {
  /** What is wrong does not (yet) cost the protection. */
  readonly protected: boolean;
  /** Of the servers. */
  readonly names: readonly string[];
  /** It is the one sentence on top, which also says whether the data is protected. */
  readonly onTop: boolean;
  readonly time: (at: string) => string;
  readonly left: (seconds: number | null | undefined) => string;
  readonly duration: (seconds: number) => string;
  readonly reason: (on: ModuleOnNode, peer: string) => FaultText;
  readonly fault: (node: string, fault: NodeFault) => FaultText;
}
/** `what` is a whole sentence. */
export type FindingWordings = {
  readonly [K in FindingKind]: (finding: FindingOf<K>, telling: Telling) => FaultText;
};

/** A whole sentence; `peer` is the other node. Whatever the evidence is needed for, the sentence holds without it. */
export type EventWording = (event: TimelineEvent, peer: string) => string;
export type EventWordings<Codes extends string = string> = Readonly<Record<Codes, EventWording>>;

/** `names`: of servers, which are written as they are wherever they stand. */
export function sentenceFrom(clause: string, names: readonly string[] = []): string {
  const isName = names.some(
    (name) => clause === name || (clause.startsWith(name) && /^[\s,.’']/.test(clause.slice(name.length))),
  );
  const first = isName ? clause : clause.slice(0, 1).toUpperCase() + clause.slice(1);
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}
