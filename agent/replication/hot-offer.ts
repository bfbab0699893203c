/** What the hot log of a former primary names, as it is told to the one that took over. */
import { hotOfferBytesMax } from './handshake.ts';
import type { HotOffer } from './handshake.ts';
import { hotLogBytes, HotLog } from './hot-log.ts';
import type { HotDisk } from './hot-log.ts';
import { decodeEntries, encodeEntry, HotSet } from './hot-set.ts';
import type { HotClaim } from './volume-lineage.ts';

/** Null: nothing that may be believed, or more than fits. What another one took over from is in his log, and not told here. */
export function hotOffer(disk: HotDisk, claim: HotClaim | null, bytes = hotLogBytes): HotOffer | null {
  if (claim?.peer !== null) return null;
  const found = new HotLog(disk, bytes).restore(claim.log, claim.checkpoint);
  if (found === null || found.set.everything) return null;
  const entries = Buffer.concat(Array.from(found.set, encodeEntry));
  if (entries.length > hotOfferBytesMax) return null;
  const { log, checkpoint } = claim;
  return { log, checkpoint, number: found.number, entries: entries.toString('base64') };
}

/** Null: these are no names. */
export function offeredSet(offer: HotOffer): HotSet | null {
  const entries = decodeEntries(Buffer.from(offer.entries, 'base64'));
  if (entries === null) return null;
  const set = new HotSet();
  for (const entry of entries) set.add(entry);
  return set;
}
