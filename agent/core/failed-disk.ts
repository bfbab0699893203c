/**
 * A disk that fails under the application. Where the other one has everything it is given the application, and the copy that was left is doubted: what the kernel
 * has given up there was told to nobody who could name it. So it is neither started nor made equal again before a person has seen to the disk.
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

/** Told and recorded; what follows is the planned stop. */
export function doubtCopy(draft: Draft, paths: readonly string[]): void {
  const { node, peer } = draft.s.identity;
  const { generation } = ownCopy(draft.s);
  if (generation === null) return;
  draft.persist({ doubted: { generation, paths, retried: false } });
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
  const what = `The disk of ${record.doubted?.paths.join(', ') ?? 'the data'} failed under the application on ${node}, and ${peer} was given it: this copy is not used any more.`;
  if (beat !== null && beat.copy !== 'up-to-date' && !beat.active)
    return `${what} ${peer} has no copy that is known to be complete either: if it stays so, use "promote" here.`;
  return record.doubted?.retried === true
    ? `${what} ${peer} makes it equal as soon as it runs the application; only if its data is lost, use "promote" here.`
    : `${what} Look at the kernel log (dmesg), mend or replace the disk, then: holdfast start ${module}.`;
}
