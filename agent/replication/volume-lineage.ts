/**
 * Every transition of a VolumeRecord. Pure: who calls one of these has the result on disk before it acts on it.
 * The order between both nodes is in docs/replication.md; each function names what it makes true.
 */
import { historyLengthMax, invariant } from '../contract/index.ts';
import type { AcknowledgeLevel, Generation, VolumeRecord } from '../contract/index.ts';

export type HotClaim = NonNullable<VolumeRecord['hot']>;

/** The copy that a person declared to be the data. `generation` null: the control plane names one with the first goAlone. */
export function freshGood(volumeUuid: string, generation: Generation | null): VolumeRecord {
  return {
    format: 1,
    volumeUuid,
    generation,
    history: [],
    copy: 'up-to-date',
    peerStale: false,
    cleanCheckpoint: null,
    contacts: 0,
  };
}

/** A copy that has never held the data: any primary of the same volume may fill it. */
export function freshBlank(volumeUuid: string): VolumeRecord {
  return {
    format: 1,
    volumeUuid,
    generation: null,
    history: [],
    copy: 'stale',
    peerStale: false,
    cleanCheckpoint: null,
    contacts: 0,
  };
}

/**
 * Both copies are called by the same name. What is then written here and not there has to be under another one first: a copy of the old name that is
 * used all the same would take it for its own past, and overwrite it.
 */
export function shareGeneration(one: VolumeRecord, other: VolumeRecord): boolean {
  return one.generation !== null && one.generation.id === other.generation?.id;
}

const nothingInMemory = { memoryBoot: undefined, closedBoot: undefined, syncedHere: undefined } as const;

/**
 * The right to go on without the peer. Idempotent for the generation that the record has already. A stale copy that a person orders to be used is not
 * all of its generation: it does not descend from it, and a copy that has all of it is a fork, which is kept.
 */
export function goneAlone(record: VolumeRecord, generation: Generation, hot: HotClaim | null = null): VolumeRecord {
  if (record.generation?.id === generation.id) {
    return {
      ...record,
      copy: 'up-to-date',
      peerStale: true,
      cleanCheckpoint: null,
      marks: null,
      hot,
      foundDifferent: undefined,
      ...nothingInMemory,
    };
  }
  const former = record.copy === 'stale' ? null : record.generation;
  return {
    ...record,
    generation,
    history: (former === null ? record.history : [former.id, ...record.history]).slice(0, historyLengthMax),
    leftAtContacts: former === null ? undefined : record.contacts,
    copy: 'up-to-date',
    peerStale: true,
    cleanCheckpoint: null,
    marks: null,
    hot,
    foundDifferent: undefined,
    ...nothingInMemory,
  };
}

/**
 * Target, before the first byte of a resync: from here on this copy must not be used until `resyncedTarget`. What it has of a log of marks still
 * holds: until `resyncedWhole`.
 */
export function resyncTarget(record: VolumeRecord): VolumeRecord {
  return {
    ...record,
    copy: 'stale',
    peerStale: false,
    cleanCheckpoint: null,
    foundDifferent: undefined,
    repairsPeer: undefined,
  };
}

/** Target, before the first byte of a resync that compares everything: it changes what no log has marked. */
export function resyncedWhole(record: VolumeRecord): VolumeRecord {
  return { ...record, marks: null, hot: null };
}

/** Target, in the middle of a session, before it says that it differs: from here on this copy must not be used until a resync has mended it, which waits for an order. */
export function foundDifferent(record: VolumeRecord): VolumeRecord {
  return { ...resyncTarget(record), marks: null, hot: null, foundDifferent: true };
}

/** Source, after the target has recorded itself stale and before its first change. */
export function resyncSource(record: VolumeRecord, hot: HotClaim | null = null): VolumeRecord {
  invariant(record.copy === 'up-to-date', 'a stale copy is never the source of a resync');
  return { ...record, peerStale: true, cleanCheckpoint: null, marks: null, hot, ...nothingInMemory };
}

/** Both sides, before the first change of a session that needed no resync; and a copy that others may have written to. */
export function connectedClean(record: VolumeRecord): VolumeRecord {
  return { ...record, cleanCheckpoint: null, marks: null, hot: null, repairsPeer: undefined };
}

/** Source: a person has ordered that a copy which was found to differ is made equal to this one. */
export function orderedToRepair(record: VolumeRecord): VolumeRecord {
  return { ...record, repairsPeer: true };
}

/** Target, after syncfs at the end of a resync: it has become what the source is. */
export function resyncedTarget(record: VolumeRecord, source: VolumeRecord): VolumeRecord {
  invariant(record.volumeUuid === source.volumeUuid, 'a resync stays within one volume');
  return {
    ...record,
    generation: source.generation,
    history: source.history,
    copy: 'up-to-date',
    peerStale: false,
    cleanCheckpoint: null,
    marks: source.marks ?? null,
    hot: null,
    unwritten: false,
    contacts: source.contacts === undefined ? record.contacts : source.contacts + 1,
    leftAtContacts: source.leftAtContacts,
  };
}

/** A sync of this disk has failed: nothing that was agreed about it holds any more. */
export function syncFailed(record: VolumeRecord): VolumeRecord {
  return { ...record, cleanCheckpoint: null, marks: null, hot: null, unwritten: true };
}

/** Target, after a syncfs: all that the log does not name is here, and on disk. */
export function markedSince(record: VolumeRecord, log: number, checkpoint: number): VolumeRecord {
  return { ...record, marks: { log, checkpoint } };
}

/** Source: both disks have the checkpoint, and all that was changed since is in the hot log. Null: that log ends, before anything is changed that it does not name. */
export function hotSince(record: VolumeRecord, hot: HotClaim | null): VolumeRecord {
  return { ...record, hot };
}

/** Source, after the target has acknowledged the end of the resync. */
export function resyncedSource(record: VolumeRecord): VolumeRecord {
  return { ...record, peerStale: false, repairsPeer: undefined };
}

/**
 * Either side, with the record that makes it in sync: before the first change is acknowledged that is in memory only.
 * @param boot null: the level promises nothing of the kind.
 */
export function heldInMemory(
  record: VolumeRecord,
  boot: string | null,
  side: 'source' | 'target',
  level: AcknowledgeLevel = 'received',
): VolumeRecord {
  if (boot === null) return { ...record, ...nothingInMemory };
  if (level === 'durable') return { ...record, ...nothingInMemory, closedBoot: boot };
  return { ...record, ...nothingInMemory, memoryBoot: boot, syncedHere: side === 'source' };
}

/** Both sides of a clean stop, target first: both disks hold the same and nothing has been written since. */
export function checkpointed(record: VolumeRecord, checkpoint: number): VolumeRecord {
  invariant(record.copy === 'up-to-date' && !record.peerStale, 'only copies that are in sync agree on a checkpoint');
  return { ...record, cleanCheckpoint: checkpoint, ...nothingInMemory };
}

/** Target, with the record of the contact: one ahead of the source. */
export function contactsOfTarget(source: VolumeRecord, target: VolumeRecord): number {
  return Math.max(target.contacts ?? 0, (source.contacts ?? 0) + 1);
}

/** Source, with its record of the contact, which follows the target's: one ahead of that. */
export function contactsOfSource(source: VolumeRecord, target: VolumeRecord): number {
  return Math.max(source.contacts ?? 0, contactsOfTarget(source, target) + 1);
}

export function inContact(record: VolumeRecord, contacts: number): VolumeRecord {
  return { ...record, contacts };
}

/**
 * Target, with a checkpoint: one ahead of the source again.
 * @param source what its record was told to count, durably; 0: nothing.
 */
export function contactsFollow(record: VolumeRecord, source: number): VolumeRecord {
  return source === 0 ? record : { ...record, contacts: Math.max(record.contacts ?? 0, source + 1) };
}

/**
 * Source, when the target has confirmed that checkpoint: one ahead of the target.
 * @param told what this record counted when it was asked for; 0: it was not told.
 */
export function contactsLead(record: VolumeRecord, told: number): VolumeRecord {
  return told === 0 ? record : { ...record, contacts: Math.max(record.contacts ?? 0, told + 2) };
}

/**
 * Target, later in the session, when something of the source has come that follows its own record of the contact: one ahead of that.
 * @param contacts with which this target began it.
 */
export function contactSettled(record: VolumeRecord, contacts: number): VolumeRecord {
  return { ...record, contacts: Math.max(record.contacts ?? 0, contacts + 2) };
}
