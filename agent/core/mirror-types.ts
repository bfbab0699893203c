/**
 * The mirror machine's vocabulary: what it is told, what it remembers, what it asks for. One machine per module and node;
 * `step(state, event)` is in mirror.ts. All instants are CLOCK_BOOTTIME milliseconds of this node; no wall clock takes part.
 */
import type {
  CheckerAction,
  EventDraft,
  FaultRecord,
  Finding,
  Generation,
  ModuleBeat,
  VolumeStatus,
  VoteRelease,
  VoteReply,
  VoteRequest,
} from '../contract/index.ts';
import type { Timing } from './timing.ts';
import type { KnownContacts } from './voter.ts';

/** What the machine has to know of a checker: how it looks is the business of the runtime. */
export interface CheckerRule {
  readonly name: string;
  readonly action: CheckerAction;
  /** In a row, before the action follows. */
  readonly failures: number;
  readonly gracePeriodMs: number;
}

/** Constant while the machine lives; a changed configuration makes a new one from the same record. */
export interface MirrorIdentity {
  readonly module: string;
  readonly node: string;
  readonly peer: string;
  /** Breaks ties at a cold start; null: the last primary, then the first name in the alphabet. */
  readonly prefer: string | null;
  readonly failback: 'manual' | 'automatic';
  /** Modules that have to run somewhere before the application is started here. */
  readonly dependsOn: readonly string[];
  readonly witness: boolean;
  readonly withoutWitness: 'prefer-one-copy' | 'prefer-availability';
  /**
   * An address that answers pings, where there is no witness that votes. It gives no right to anything: a node that reaches neither it nor the peer begins nothing
   * and stops. Null: none.
   */
  readonly pingWitness: string | null;
  readonly timing: Timing;
  readonly checkers: readonly CheckerRule[];
  /** H6: how many starts, stops and moves checkers may cause on this node within a time. */
  readonly restartLimit: { readonly count: number; readonly windowMs: number };
  /** Random per process start: makes generation ids unique. */
  readonly session: string;
  /** Kernel boot id: a role recorded under another one ended with that boot. */
  readonly bootId: string;
}

/** `/var/lib/holdfast/modules/<module>.json`, durable before anything that follows it in the action list happens. */
export interface ModuleRecord {
  readonly format: 1;
  readonly wanted: 'started' | 'stopped';
  readonly maintenance: boolean;
  /** The newest generation this node has promised anybody (it is a voter), itself included. */
  readonly newest: Generation | null;
  /** The furthest that this node has heard of the newest generation's copies, its own included: one that is behind was set back. */
  readonly contacts: KnownContacts | null;
  /** The longest life of a grant of this node that may still be running: whoever starts again waits for the end of one. Null: never given. */
  readonly grantedMs: number | null;
  /** Asked of the voters since the last one was written into the volumes, oldest first: whoever stored one of them still accepts this copy. */
  readonly pending: readonly Generation[];
  /** The application runs, or may run, here under this boot. Cleared only after it was stopped or fenced. */
  readonly activeBoot: string | null;
  /** Its start script has finished: a restarted control plane may go on with it. Otherwise it fences and starts again. */
  readonly running: boolean;
  /** When that was, by the clock of `activeBoot`; null: not running, or recorded by a version that did not know. */
  readonly runningSinceMs: number | null;
  readonly lastPrimary: boolean;
  /** The last start of the application failed here; a new order from a person clears it. */
  readonly startFailed: boolean;
  /** When checkers restarted or moved the application here, by the clock of `restartsBoot`, oldest first. An order from a person clears them. */
  readonly restarts: readonly number[];
  readonly restartsBoot: string | null;
  /**
   * The restart limit was reached here. `moved`: the other one took over; this node takes the application again only when the other one is lost.
   * `stopped`: the other one could not run it either; a person is waited for.
   */
  readonly gaveUp: 'moved' | 'stopped' | null;
  /**
   * The disk of this copy failed under the application, and the other one may have what it lacks. Once the application has left, and until it is made equal to another copy, or has gone on to a
   * newer generation, it is not used but by an order. `retried`: a person has ordered a start since, so that it may be made equal.
   */
  readonly doubted: {
    readonly generation: Generation;
    readonly paths: readonly string[];
    readonly retried: boolean;
  } | null;
  /** Runs by a person's order, given while the ping witness did not answer: its silence stops nothing until it has answered, or the peer has. */
  readonly unreachedByOrder: boolean;
  /** A person's order to use this copy although it may lack acknowledged writes. `bootId`: it ends with this boot. */
  readonly order: { readonly by: string; readonly bootId?: string | undefined } | null;
}

/** One step of a plan; executed by the runtime, in order, each awaited. A step that fails ends the plan. */
export type PlanStep =
  /** replicator.servePrimary for every volume. */
  | { readonly do: 'mount'; readonly order: boolean }
  /** Duplicate-address check, then address + announcement. The kernel's fence lets it answer only while the lease runs. */
  | { readonly do: 'raise-vip' }
  | { readonly do: 'drop-vip' }
  /** The configured script, nothing when there is none. Output is kept. `stop` that fails or times out is followed by force-stop. */
  | { readonly do: 'script'; readonly script: 'prestart' | 'start' | 'stop' | 'poststop' | 'transition' }
  /** replicator.stop for every volume: unmount (holders killed after the stop script), then a clean checkpoint with an in-sync peer. */
  | { readonly do: 'unmount' }
  /** replicator.fence for every volume: no reply any more, connection aborted, holders killed. Then the stop script, its failure ignored. */
  | { readonly do: 'fence' }
  /** `doubted`: nothing that was agreed on with the other copy is believed of this one. */
  | { readonly do: 'serve-secondary'; readonly doubted: boolean }
  /** replicator.stop of a secondary. */
  | { readonly do: 'idle' };

/**
 * Executed in array order, each finished before the next begins, except `run`, which goes on beside and reports `ran`.
 * `persist` is on disk before any later action: a vote that is sent must not be forgotten in a power cut.
 */
export type MirrorAction =
  | { readonly type: 'persist'; readonly record: ModuleRecord }
  | { readonly type: 'send'; readonly to: 'peer' | 'witness'; readonly message: VoteRequest | VoteReply | VoteRelease }
  /** The kernel's timed sets and the replicator's own deadline; both only ever extended by this, cut by `cut-lease`. */
  | { readonly type: 'extend-lease'; readonly deadlineMs: number }
  /** replicator.goAlone for every volume, beside a running plan (whose start script may be waiting for exactly this). The outcome shows in `data`. */
  | { readonly type: 'go-alone'; readonly generation: Generation }
  /** At once: empties the kernel's timed set and stops the replicator's answers. */
  | { readonly type: 'cut-lease' }
  /** Starts a plan. `preempt`: abandons a running plan first (its script is killed); without it no plan is running. */
  | { readonly type: 'run'; readonly id: number; readonly preempt: boolean; readonly steps: readonly PlanStep[] }
  | { readonly type: 'emit'; readonly event: EventDraft }
  /** An invariant is broken: fence everything of this module and end the process. */
  | { readonly type: 'halt'; readonly because: string };

export type MirrorCommand =
  /** `leave`: the server goes down. Nothing is recorded: after the boot the module is wanted as before, however the shutdown ends. */
  | { readonly name: 'start' | 'stop' | 'leave' | 'restart' | 'swap' }
  | { readonly name: 'maintenance'; readonly on: boolean }
  | { readonly name: 'promote'; readonly orderedBy: string };

export type MirrorEvent =
  /** Every `timing.heartbeatIntervalMs`. */
  | { readonly type: 'tick' }
  /**
   * An authentic heartbeat of the peer. `beat` is null when the peer does not know the module (yet). `order` grows with what it says: a beat
   * that a slower network brings later is a sign of life and nothing more. `heardAtMs`: when it arrived, where that was before this step.
   */
  | {
      readonly type: 'heard';
      readonly network: string;
      readonly beat: ModuleBeat | null;
      readonly order: number;
      readonly heardAtMs?: number;
    }
  | { readonly type: 'vote-request'; readonly message: VoteRequest }
  | { readonly type: 'vote-reply'; readonly from: 'peer' | 'witness'; readonly message: VoteReply }
  | { readonly type: 'vote-release'; readonly message: VoteRelease }
  /** All volumes of the module, at every change; null: the replicator cannot be reached (it died or restarts). */
  | { readonly type: 'data'; readonly volumes: readonly VolumeStatus[] | null }
  | {
      readonly type: 'ran';
      readonly id: number;
      readonly failed: { readonly step: PlanStep['do']; readonly fault: FaultRecord } | null;
      readonly clean: boolean;
    }
  /** Of `dependsOn`, those that run on neither node as far as this one knows. */
  | { readonly type: 'needs'; readonly missing: readonly string[] }
  /** The ping witness has answered a ping that was sent at `sentMs`. Silence is no event. */
  | { readonly type: 'reached'; readonly sentMs: number }
  /** A checker has looked. `beganMs`: when, by this node's clock. */
  | { readonly type: 'checked'; readonly checker: string; readonly beganMs: number; readonly finding: Finding }
  | { readonly type: 'command'; readonly command: MirrorCommand };

/** Every event comes with the instant it is processed at. */
export type TimedMirrorEvent = MirrorEvent & { readonly atMs: number };

/** A refusal of a command, as the caller will see it. */
export interface CommandRefusal {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export interface StepResult<S> {
  readonly state: S;
  readonly actions: readonly MirrorAction[];
  /** Only for `command` events: null when taken. */
  readonly refused: CommandRefusal | null;
}
