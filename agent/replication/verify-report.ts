/** What a comparison has found so far, as it is told to people: one entry for each object, whatever differs about it. */
import { differencesMax, isMinor } from '../contract/index.ts';
import type { Difference, DifferenceKind, FaultRecord, Verification } from '../contract/index.ts';

/** Objects that are known one by one, so that none is counted twice; what is beyond them is only counted. */
const knownMax = 100_000;
const rateIntervalMs = 500;

export class VerifyReport {
  repair: boolean;
  /** Objects of which the primary could not read something. */
  unreadable = 0;
  directories = 0;
  files = 0;
  comparedBytes = 0;
  #differing = 0;
  #minor = 0;
  readonly #differences: Difference[] = [];
  /** By path; true: something that matters. */
  readonly #known = new Map<string, boolean>();
  #rate: { atMs: number; bytes: number; bytesPerSecond: number | null };

  constructor(repair: boolean, nowMs: number) {
    this.repair = repair;
    this.#rate = { atMs: nowMs, bytes: 0, bytesPerSecond: null };
  }

  /** `path`: bytes as latin1. */
  differs(path: string, kinds: readonly DifferenceKind[], bytes: number): void {
    const matters = kinds.some((kind) => !isMinor(kind));
    if (kinds.includes('unreadable-on-primary')) this.unreadable += 1;
    const before = this.#known.get(path);
    if (before === undefined) {
      if (this.#known.size < knownMax) this.#known.set(path, matters);
      if (matters) this.#differing += 1;
      else this.#minor += 1;
    } else if (matters && !before) {
      this.#known.set(path, true);
      this.#differing += 1;
      this.#minor -= 1;
    }
    this.#list(path, kinds, bytes);
  }

  /** All is counted. What is listed stays. */
  forgetNames(): void {
    this.#known.clear();
  }

  #list(latin1: string, kinds: readonly DifferenceKind[], bytes: number): void {
    const path = Buffer.from(latin1, 'latin1').toString('utf8');
    const listed = this.#differences.findIndex((one) => one.path === path);
    const former = this.#differences[listed];
    if (former)
      this.#differences[listed] = {
        path,
        kinds: [...new Set([...former.kinds, ...kinds])],
        bytes: former.bytes + bytes,
      };
    else if (this.#differences.length < differencesMax) this.#differences.push({ path, kinds: [...kinds], bytes });
  }

  /** Objects that only the secondary has and that nobody names. */
  more(count: number): void {
    this.#differing += count;
  }

  get differing(): number {
    return this.#differing;
  }
  get minor(): number {
    return this.#minor;
  }

  tell(state: Verification['state'], nowMs: number): Verification {
    const passedMs = nowMs - this.#rate.atMs;
    if (passedMs >= rateIntervalMs) {
      const bytesPerSecond = ((this.comparedBytes - this.#rate.bytes) * 1000) / passedMs;
      this.#rate = { atMs: nowMs, bytes: this.comparedBytes, bytesPerSecond };
    }
    return {
      state,
      repair: this.repair,
      directories: this.directories,
      files: this.files,
      comparedBytes: this.comparedBytes,
      bytesPerSecond: state === 'running' ? this.#rate.bytesPerSecond : null,
      differing: this.#differing,
      minor: this.#minor,
      unreadable: this.unreadable,
      differences: [...this.#differences],
    };
  }
}

export function copiesDifferFault(volume: string): FaultRecord {
  return {
    code: 'copies-differ',
    message: `The secondary’s copy of ${volume} was found to differ from the primary’s.`,
    remedy:
      'Look at what differs (holdfast verify MODULE --show), then make it equal to the primary’s: holdfast verify MODULE --repair. Until then nothing is overwritten, and once the link was lost the primary works alone.',
    details: { volume },
  };
}
