/** Going on without the peer under a new generation: because it does not get the changes, or because its vote stands for data that nobody has any more. */
import type { Generation } from '../contract/index.ts';
import { anyMode, allModes, ownCopy, peerBeat, rememberWish, wishedGeneration, type Draft } from './mirror-state.ts';
import { answeredSince, askForVotes, rightUntilMs, storedElsewhere } from './right.ts';
import { behind, sameGeneration } from './voter.ts';

/** How often an order to go alone is repeated while the replicator has not shown its effect. */
const goAloneRepeatMs = 1000;

/**
 * The peer does not get our changes any more. The new generation is promised by a voter on its disk, then written into the volumes, then the
 * application's waiting writes go on. Once asked for it is carried through even when the link returns: a voter may already have promised it.
 */
export function goAlone(draft: Draft): void {
  const { s, now } = draft;
  const wish = s.goingAlone;
  const generation = ownCopy(s).generation;
  if (wish !== null && sameGeneration(generation, wish)) {
    s.goingAlone = null;
    draft.emit(
      'attention',
      'alone',
      `${s.identity.node} goes on alone: ${s.identity.peer} does not get the changes any more and will be resynchronised when it returns.`,
      {
        generation: wish.number,
      },
    );
    return;
  }
  if (wish === null) {
    if (leavesDoubtedCopy(draft)) return;
    const former = votesForTheGone(draft);
    if (former === null && !mustDecide(draft)) return;
    s.goingAlone = wishedGeneration(s);
    if (former !== null) tellOfRenewal(draft, former, s.goingAlone);
    rememberWish(draft, s.goingAlone);
    askForVotes(draft, s.goingAlone, false);
  }
  if (s.goingAlone === null || !storedElsewhere(s, s.goingAlone) || rightUntilMs(s, now) <= now) return;
  if (!s.volumes?.every((volume) => volume.role === 'primary') || now - s.goAloneSentMs < goAloneRepeatMs) return;
  s.goAloneSentMs = now;
  draft.persist({ newest: s.goingAlone });
  s.voter = { ...s.voter, newest: s.record.newest };
  draft.actions.push({ type: 'go-alone', generation: s.goingAlone });
}

/** What is left because its disk failed is not made the newest copy on the way: the other one's would be stale by it. */
function leavesDoubtedCopy({ s }: Draft): boolean {
  const { generation, whole } = ownCopy(s);
  return s.phase.name === 'deactivating' && whole && sameGeneration(s.record.doubted?.generation ?? null, generation);
}

/** The peer does not take the changes, and has had the time that it needs to connect. */
function mustDecide({ s, now }: Draft): boolean {
  if (!anyMode(s, 'undecided') || s.undecidedSinceMs === null) return false;
  if (!answeredSince(s, now, s.undecidedSinceMs)) return false;
  const beat = peerBeat(s, now);
  const mayConnect = beat !== null && beat.wanted === 'started' && beat.reason !== 'disk-failed';
  const patienceMs = !s.hadLink && mayConnect ? s.identity.timing.detectionMs : 0;
  return now - s.undecidedSinceMs >= patienceMs;
}

/**
 * The peer holds the very copy that runs here, and as a voter still refuses it for another generation that is no older: its former version, which was
 * set aside or lost. While both copies are the same nobody holds that generation, and none can be promised to this node but by its own wishes. A voter
 * never forgets; so what runs here takes a name that is newer, as if the peer were gone, and the peer's copy counts again as soon as it has it.
 */
function votesForTheGone({ s, now }: Draft): Generation | null {
  const { reply, replyMs } = s.ballots.peer;
  const beat = peerBeat(s, now);
  if (s.phase.name !== 'active' || s.running || beat === null || !allModes(s, 'in-sync')) return null;
  if (reply?.reason !== 'older-generation' || now - replyMs >= s.identity.timing.detectionMs) return null;
  const { generation, whole } = ownCopy(s);
  const same = whole && sameGeneration(beat.generation, generation) && beat.copy === 'up-to-date';
  return same && behind(generation, reply.newest) ? reply.newest : null;
}

function tellOfRenewal(draft: Draft, former: Generation, next: Generation): void {
  const { node, peer } = draft.s.identity;
  draft.emit(
    'info',
    'generation-renewed',
    `${peer} remembers version ${String(former.number)} of the data, which nobody holds any more; ${node} goes on under version ${String(next.number)}, so that the copy of ${peer} counts.`,
    { former: former.number, generation: next.number },
  );
}
