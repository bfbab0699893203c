/**
 * What happens when a primary (source) meets a secondary (target), decided from the two volume records alone. Pure; both sides
 * compute it and must come to the same answer. No clock takes part.
 */
import { isSetBack, type FaultRecord, type VolumeRecord } from '../contract/index.ts';
import { copiesDifferFault } from './verify-report.ts';

export type RefusalCode = 'not-the-same-data' | 'copy-stale' | 'peer-is-newer' | 'forked' | 'copies-differ';
export type Contact =
  /** Both copies are known to be identical: nothing is compared. */
  { readonly kind: 'in-sync' } | { readonly kind: 'resync' } | { readonly kind: 'refused'; readonly code: RefusalCode };

const inSync: Contact = { kind: 'in-sync' };
const resync: Contact = { kind: 'resync' };
const refused = (code: RefusalCode): Contact => ({ kind: 'refused', code });

export function decideContact(source: VolumeRecord, target: VolumeRecord): Contact {
  if (source.volumeUuid !== target.volumeUuid) return refused('not-the-same-data');
  // A stale copy may run on a person's order, but only goAlone makes it something that others may be filled from.
  if (source.copy === 'stale') return refused('copy-stale');
  if (target.generation === null) return resync;
  // Declared good, but without a generation yet: whatever holds a generation has more of a history than this copy.
  if (source.generation === null) return refused('peer-is-newer');
  const used = target.copy === 'up-to-date';
  if (source.generation.id === target.generation.id) {
    // Set back to an image, and run: the target has what this copy has lost.
    if (used && isSetBack(source.contacts, target.contacts)) return refused('peer-is-newer');
    const identical =
      source.cleanCheckpoint !== null &&
      source.cleanCheckpoint === target.cleanCheckpoint &&
      target.copy === 'up-to-date' &&
      !source.peerStale &&
      !target.peerStale;
    return identical ? inSync : resyncIfAllowed(source, target);
  }
  // The same, found out after the source has gone on alone, once or more often: what it lost and what it has written since are two branches.
  const leftIt = source.history.includes(target.generation.id);
  if (leftIt && used && isSetBack(source.leftAtContacts, target.contacts)) return refused('forked');
  if (leftIt) return resyncIfAllowed(source, target);
  if (target.history.includes(source.generation.id)) return refused('peer-is-newer');
  return refused('forked');
}

/** A copy that was found to differ may be the right one of the two. */
function resyncIfAllowed(source: VolumeRecord, target: VolumeRecord): Contact {
  return target.foundDifferent === true && source.repairsPeer !== true ? refused('copies-differ') : resync;
}

export function contactFault(code: RefusalCode, volume: string, peer: string): FaultRecord {
  const details = { volume, peer };
  switch (code) {
    case 'not-the-same-data':
      return {
        code,
        message: `${peer} holds another volume under the name ${volume}: the two copies were never the same data.`,
        remedy: `Choose which copy is good and set up ${volume} again with that one; the other one is kept aside.`,
        details,
      };
    case 'copy-stale':
      return {
        code,
        message: `The copy of ${volume} on this node is stale and is not given to ${peer}.`,
        remedy:
          'Start the node that holds the newer copy, or order this one to be used, accepting the loss of what it lacks.',
        details,
      };
    case 'peer-is-newer':
      return {
        code,
        message: `${peer} holds a newer copy of ${volume}.`,
        remedy: `Stop the module here and let ${peer} run it.`,
        details,
      };
    case 'copies-differ':
      return copiesDifferFault(volume);
    case 'forked':
      return {
        code,
        message: `Both copies of ${volume} were written without the other one: they have forked.`,
        remedy: 'Compare the two copies, choose the one to keep, and set up the other node again from it.',
        details,
      };
  }
}
