/** What a comparison has found so far, as it is told to people: one entry for each object, whatever differs about it. */
import { differencesMax, isMinor } from '../contract/index.ts';
import type { Difference, DifferenceKind, FaultRecord, Verification } from '../contract/index.ts';

/** Objects that are known one by one, so that none is counted twice; what is beyond them is only counted. */
const knownMax = 100_000;
const rateIntervalMs = 500;
/** Of the rate of the last interval in the one that is told: a disk is not as fast at every moment. */
const newestShare = 0.3;

export class VerifyReport {
  repair: boolean;
  /** Objects of which the primary could not read something. */
  unreadable = 0;
  directories = 0;
  files = 0;
  comparedBytes = 0;
  /** Of them: in holes, which take no room on the disk and next to no time. */
  holeBytes = 0;
  readonly #usedBytes: number | null;
  #differing = 0;
  #minor = 0;
  readonly #differences: Difference[] = [];
  /** By path; true: something that matters. */
  readonly #known = new Map<string, boolean>();
  #rate: { atMs: number; bytes: number; bytesPerSecond: number | null };

  /** `usedBytes`: on the filesystem, by whatever; null: not known. */
  constructor(repair: boolean, nowMs: number, usedBytes: number | null = null) {
    this.repair = repair;
    this.#usedBytes = usedBytes;
    this.#rate = { atMs: nowMs, bytes: 0, bytesPerSecond: null };
  }

  /** `path`: bytes as latin1. */
  differs(path: string, kinds: readonly DifferenceKind[], bytes: number, directory = false): void {
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
    this.#list(path, kinds, bytes, directory);
  }

  /** All is counted. What is listed stays. */
  forgetNames(): void {
    this.#known.clear();
  }

  #list(latin1: string, kinds: readonly DifferenceKind[], bytes: number, isDirectory: boolean): void {
    const path = Buffer.from(latin1, 'latin1').toString('utf8');
    const listed = this.#differences.findIndex((one) => one.path === path);
    const former = this.#differences[listed];
    const directory = isDirectory ? { directory: true } : {};
    if (former)
      this.#differences[listed] = {
        ...former,
        ...directory,
        kinds: [...new Set([...former.kinds, ...kinds])],
        bytes: former.bytes + bytes,
      };
    else if (this.#differences.length < differencesMax)
      this.#differences.push({ path, kinds: [...kinds], bytes, ...directory });
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
    const readBytes = this.comparedBytes - this.holeBytes;
    const passedMs = nowMs - this.#rate.atMs;
    if (passedMs >= rateIntervalMs) {
      const rate = ((readBytes - this.#rate.bytes) * 1000) / passedMs;
      const before = this.#rate.bytesPerSecond ?? rate;
      const bytesPerSecond = before * (1 - newestShare) + rate * newestShare;
      this.#rate = { atMs: nowMs, bytes: readBytes, bytesPerSecond };
    }
    const running = state === 'running';
    const { bytesPerSecond } = this.#rate;
    const leftBytes = this.#usedBytes === null ? null : Math.max(0, this.#usedBytes - readBytes);
    const knowsWhen = running && leftBytes !== null && bytesPerSecond !== null && bytesPerSecond > 0;
    return {
      state,
      repair: this.repair,
      directories: this.directories,
      files: this.files,
      comparedBytes: this.comparedBytes,
      totalBytes: running && leftBytes !== null ? this.comparedBytes + leftBytes : null,
      bytesPerSecond: running ? bytesPerSecond : null,
      etaSeconds: knowsWhen ? leftBytes / bytesPerSecond : null,
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
