/**
 * How much there is to compare when the peer comes back, out of the marks alone: no directory is read, and of a file that is marked only the size. In bounded steps
 * between the application's requests, like everything that nobody waits for.
 */
import type { ChangedKind, ChangedObject, ResyncEstimate, WholeReason } from '../contract/index.ts';
import type { Node, NodeId } from '../fuse/index.ts';
import { Attributes } from '../sys/attributes.ts';
import type { Mark, Marks } from './marks.ts';
import { directoryType, fileType } from './tree.ts';
import type { Tree } from './tree.ts';

const marksPerStep = 64;
const stepMs = 1;
/** An application that never lets go of the lane gets a step in between. */
const starvedMs = 100;

export interface EstimateCircumstances {
  readonly filesMax: number;
  /** The other copy has everything. */
  readonly inSync: boolean;
  /** A reason that outweighs whatever the marks say; null: none. */
  readonly whole: WholeReason | null;
  readonly used: { readonly bytes: number; readonly objects: number } | null;
  /** As it was last measured. */
  readonly bytesPerSecond: number | null;
  readonly nowMs: () => number;
}

export class EstimateRun {
  readonly #tree: Pick<Tree, 'attributes'>;
  readonly #marks: Marks;
  readonly #circumstances: EstimateCircumstances;
  readonly #log: number;
  readonly #left: Iterator<[NodeId, Mark]>;
  readonly #attributes = new Attributes();
  readonly #files: ChangedObject[] = [];
  #objects = 0;
  #names = 0;
  #wholeDirectories = 0;
  #bytes = 0;
  #steppedMs: number;

  constructor(tree: Pick<Tree, 'attributes'>, marks: Marks, circumstances: EstimateCircumstances) {
    this.#tree = tree;
    this.#marks = marks;
    this.#circumstances = circumstances;
    this.#log = marks.log;
    this.#left = marks[Symbol.iterator]();
    this.#steppedMs = circumstances.nowMs();
  }

  get starved(): boolean {
    return this.#circumstances.nowMs() - this.#steppedMs > starvedMs;
  }

  /** Null: not done yet. */
  step(): ResyncEstimate | null {
    const { inSync, whole, nowMs } = this.#circumstances;
    this.#steppedMs = nowMs();
    if (inSync) return this.#told('nothing', null);
    if (whole !== null) return this.#everything(whole);
    if (!this.#marks.kept || this.#marks.log !== this.#log)
      return this.#everything(this.#marks.hasOverflown ? 'too-many-changes' : 'no-log');
    const untilMs = this.#steppedMs + stepMs;
    for (let taken = 0; taken < marksPerStep && nowMs() <= untilMs; taken++) {
      const next = this.#left.next();
      if (next.done === true) return this.#told('marks', null);
      this.#count(next.value[1]);
    }
    return null;
  }

  #count(mark: Mark): void {
    const { node } = mark;
    this.#names += mark.names?.size ?? 0;
    // Removed: what is left of it is the name in its directory.
    if (node === null || node.unlinked) return;
    this.#objects += 1;
    // Nothing leads to it at the place where the target has it, so it is walked as something new; what was made since is marked as it is filled. Or a log on disk names all
    // that is in it together.
    if (node.type === directoryType && (mark.placed === 'unknown' || mark.entries)) this.#wholeDirectories += 1;
    const bytes = node.type === fileType ? this.#bytesOf(node, mark) : 0;
    this.#bytes += bytes;
    if (this.#files.length < this.#circumstances.filesMax)
      this.#files.push({ path: pathOf(node), kind: kindOf(node, mark), bytes });
  }

  #bytesOf(node: Node, mark: Mark): number {
    const isWhole = mark.placed === 'made' || mark.placed === 'unknown';
    if (!isWhole && mark.extents === null) return 0;
    if (this.#tree.attributes(node.id, this.#attributes) < 0) return 0;
    const { size } = this.#attributes;
    return isWhole ? size : (mark.extents?.ranges(size) ?? []).reduce((sum, [start, end]) => sum + end - start, 0);
  }

  #everything(why: WholeReason): ResyncEstimate {
    const { used } = this.#circumstances;
    const told = this.#told('everything', why, used?.bytes ?? null);
    return { ...told, objects: used?.objects ?? null, names: null, wholeDirectories: 0, files: [] };
  }

  #told(scope: ResyncEstimate['scope'], why: WholeReason | null, bytes: number | null = this.#bytes): ResyncEstimate {
    const { bytesPerSecond } = this.#circumstances;
    const seconds = bytes === null || bytesPerSecond === null || bytesPerSecond <= 0 ? null : bytes / bytesPerSecond;
    return {
      scope,
      why,
      objects: this.#objects,
      names: this.#names,
      wholeDirectories: this.#wholeDirectories,
      bytes,
      bytesPerSecond,
      seconds,
      files: this.#files,
    };
  }
}

function kindOf(node: Node, { placed, extents, names }: Mark): ChangedKind {
  if (placed === 'made' || placed === 'unknown') return 'new';
  if (node.type === fileType && extents !== null) return 'content';
  if (placed === 'moved' || placed === 'linked') return 'moved';
  return names === null ? 'attributes' : 'names';
}

/** Below the replicated directory. Bytes that are not UTF-8 are shown as replacement characters. */
function pathOf(node: Node): string {
  const names: string[] = [];
  for (let at = node; at.parent !== null; at = at.parent) names.unshift(at.name.toString('utf8'));
  return names.join('/');
}
