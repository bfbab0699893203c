/** Deliberate faults of the code itself, and how those of marks and hot logs are put in. */
import type { ControlBlock } from '../../../agent/replication/control-block.ts';
import type { HotRegions } from '../../../agent/replication/hot-regions.ts';
import type { Marks } from '../../../agent/replication/marks.ts';

/** The judge must notice each. */
export const mutants = [
  'source-does-not-sync',
  'target-does-not-sync',
  'stale-is-not-recorded',
  'alone-without-a-record',
] as const;
export const mutantsOfMarks: readonly Mutant[] = [
  'writes-are-not-marked',
  'names-are-not-marked',
  'marks-go-with-the-link',
  'checkpoint-without-a-sync',
  'checkpoint-is-not-compared',
  'old-places-are-trusted-while-connected',
  'old-places-are-trusted-after-an-attempt',
  'what-is-not-told-is-forgotten',
  'a-failed-sync-is-forgotten',
];
export type Mutant =
  | (typeof mutants)[number]
  | 'writes-are-not-marked'
  | 'names-are-not-marked'
  | 'marks-go-with-the-link'
  | 'checkpoint-without-a-sync'
  | 'checkpoint-is-not-compared'
  | 'old-places-are-trusted-while-connected'
  | 'old-places-are-trusted-after-an-attempt'
  | 'what-is-not-told-is-forgotten'
  | 'a-failed-sync-is-forgotten'
  | (typeof mutantsOfMoves)[number]
  | (typeof mutantsOfHotLogs)[number]
  | (typeof mutantsOfRoom)[number]
  | (typeof mutantsOfRecords)[number];

/** Noticed only where a stream goes on over another network. */
export const mutantsOfMoves = [
  'what-is-under-way-is-not-kept',
  'the-stream-goes-on-where-it-was-acknowledged',
] as const;

/** Noticed only where disks get full. */
export const mutantsOfRoom = ['room-is-not-asked-for', 'room-is-told-once', 'what-is-under-way-takes-no-room'] as const;

/** Noticed only where primaries crash. */
export const mutantsOfHotLogs = [
  'hot-regions-are-recorded-after-the-change',
  'hot-regions-go-without-our-own-sync',
  'the-hot-log-of-the-peer-is-ignored',
  'an-older-hot-log-is-believed',
  'hot-contents-are-not-recorded',
  'hot-names-are-not-recorded',
  'hot-attributes-are-not-recorded',
  'further-names-are-as-good-as-any',
] as const;

/** Noticed only where primaries crash whose disks did not take their records. */
export const mutantsOfRecords = ['changes-go-on-that-no-record-knows'] as const;

/** A change is in the log only some steps after it was made. */
function recordLater(hot: HotRegions, later: (() => void)[]): void {
  const { content, name, attributes } = hot;
  hot.content = (...of) =>
    void later.push(() => {
      content.apply(hot, of);
    });
  hot.name = (...of) =>
    void later.push(() => {
      name.apply(hot, of);
    });
  hot.attributes = (...of) =>
    void later.push(() => {
      attributes.apply(hot, of);
    });
}

export function breakHot(hot: HotRegions, mutant: Mutant | null, later: (() => void)[]): void {
  if (mutant === 'hot-regions-are-recorded-after-the-change') recordLater(hot, later);
  if (mutant === 'hot-contents-are-not-recorded') hot.content = () => undefined;
  if (mutant === 'hot-names-are-not-recorded') hot.name = () => undefined;
  if (mutant === 'further-names-are-as-good-as-any') hot.furtherName = () => undefined;
  if (mutant === 'hot-attributes-are-not-recorded') hot.attributes = () => undefined;
}

/** Breaks what the primary hears of its peer's room: as if every number were about all that has been sent by now. */
export function breakRoom(control: ControlBlock, mutant: Mutant | null): void {
  const tell = control.room.tell.bind(control.room);
  if (mutant === 'what-is-under-way-takes-no-room')
    control.room.tell = (_sequence, room) => {
      tell(control.sent, room);
    };
}

/** Breaks what the primary keeps of its peer. */
export function breakMarks(marks: Marks, mutant: Mutant | null): void {
  const disconnected = marks.disconnected.bind(marks);
  const attempt = marks.attempt.bind(marks);
  const cover = marks.cover.bind(marks);
  if (mutant === 'writes-are-not-marked') marks.content = () => undefined;
  if (mutant === 'names-are-not-marked') marks.placed = () => undefined;
  if (mutant === 'marks-go-with-the-link')
    marks.disconnected = () => {
      disconnected();
      const { log, checkpoint } = marks.stamp;
      marks.adopt(log, checkpoint, checkpoint);
      marks.peerStands = true;
    };
  if (mutant === 'checkpoint-is-not-compared')
    marks.cover = (theirs) => cover(theirs && { ...theirs, checkpoint: marks.stamp.checkpoint });
  if (mutant === 'old-places-are-trusted-while-connected')
    Object.defineProperty(marks, 'peerStands', { get: () => true, set: () => undefined });
  if (mutant === 'old-places-are-trusted-after-an-attempt')
    marks.attempt = () => {
      const places = [...marks].map(([, mark]) => [mark, mark.placed] as const);
      attempt();
      for (const [mark, placed] of places) mark.placed = placed;
      marks.disconnected = () => {
        const before = [...marks].map(([, mark]) => [mark, mark.placed] as const);
        disconnected();
        for (const [mark, placed] of before) mark.placed = placed;
      };
    };
}
