/**
 * A disk that fails under the application. As long as the other copy is not stale it may have what this one is going to lack when the role ends: what the kernel
 * has given up was told to nobody who could name it. So the copy is doubted from then on: whoever has left it, for whatever reason, neither starts on it nor makes
 * it equal before a person has seen to the disk. Where the other one is ready it is given the application at once.
 */
import { ownCopy, peerBeat, type Draft, type MirrorState } from './mirror-state.ts';
import { sameGeneration } from './voter.ts';

/** Directories whose disk has failed in the role that runs. */
export function failedDisks({ volumes }: MirrorState): string[] {
  return (volumes ?? []).flatMap(({ role, fault, path }) =>
    role === 'primary' && fault?.code === 'disk-failed' ? [path] : [],
  );
}

/** Asked at every heartbeat: nearly always there is no doubt. */
export function isDoubted(state: MirrorState): boolean {
  return state.record.doubted !== null && ownCopy(state).doubted;
}

/** It is not made equal again: nobody has said that its disk may be written to. */
export function restsOnFailedDisk(state: MirrorState): boolean {
  return state.record.doubted?.retried === false && isDoubted(state);
}

/**
 * This copy has nothing that the other one, alive and linked, lacks: each volume is of one generation, which the other one's record calls complete. A mode alone may be old: of a lane
 * that stands still nobody tells another one.
 */
export function peerHasAll({ s, now }: Draft): boolean {
  const beat = peerBeat(s, now);
  const { whole, generation } = ownCopy(s);
  const isLinked = s.volumes?.every(({ link }) => link === 'up') === true;
  const isSame = whole && sameGeneration(beat?.generation ?? null, generation);
  return beat?.copy === 'up-to-date' && isLinked && isSame && s.goingAlone === null;
}

/** From the moment that it fails: nobody knows how the role will end. What went on alone is all there is, and doubted by nobody. */
export function doubtCopy(draft: Draft): void {
  const { volumes } = draft.s;
  const paths = failedDisks(draft.s);
  if (paths.length === 0) return;
  const { generation, whole } = ownCopy(draft.s);
  const mayLack = volumes?.some(({ path, record }) => paths.includes(path) && record?.peerStale === false) === true;
  if (generation !== null && whole && mayLack) draft.persist({ doubted: { generation, paths, retried: false } });
}

/** What follows is the planned stop. */
export function tellOfHandover(draft: Draft): void {
  const { node, peer } = draft.s.identity;
  const paths = failedDisks(draft.s);
  draft.emit(
    'bad',
    'disk-failover',
    `The disk of ${paths.join(', ')} on ${node} failed; ${peer} has everything that was confirmed, and takes over.`,
    { paths: paths.join(', ') },
  );
}

/** What was made equal to another copy, or begins to be, has left nothing to doubt; what has gone on to a newer generation is the best that there is. */
export function endDoubt(draft: Draft): void {
  const { doubted } = draft.s.record;
  if (doubted === null) return;
  const { initialised, complete, whole, generation } = ownCopy(draft.s);
  if (initialised && (!complete || (whole && !sameGeneration(generation, doubted.generation))))
    draft.persist({ doubted: null });
}

export function doubtInWords({ record, identity, beat }: MirrorState): string {
  const { node, peer, module } = identity;
  const what = `The disk of ${record.doubted?.paths.join(', ') ?? 'the data'} failed under the application on ${node}: what this copy may lack is with ${peer}, so it is not used any more.`;
  if (beat !== null && beat.copy !== 'up-to-date' && !beat.active)
    return `${what} ${peer} has no copy that is known to be complete either: if it stays so, use "promote" here.`;
  return record.doubted?.retried === true
    ? `${what} ${peer} makes it equal as soon as it runs the application; only if its data is lost, use "promote" here.`
    : `${what} Look at the kernel log (dmesg), mend or replace the disk, then: holdfast start ${module}.`;
}
