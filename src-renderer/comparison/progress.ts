/** How far a comparison or its repair is: what, how much, how fast, how long. Pure. */
import type { ResyncProgress } from '../../agent/contract/index.ts';
import type { Messages } from '../messages/messages.ts';
import { bytesText, durationText, numberText, percentText, rateText } from '../ui/format.ts';
import type { Progress, Stage } from './stage.ts';

/** Null: nobody knows how much there is. */
export function comparedPart({ doneBytes, totalBytes }: Progress): number | null {
  return totalBytes === null || totalBytes === 0 ? null : doneBytes / totalBytes;
}

export function comparedText(words: Messages, { progress, differing }: Stage): string {
  const said = words.cluster.comparison;
  const { doneBytes, totalBytes, bytesPerSecond, etaSeconds, files } = progress;
  const done = bytesText(words, doneBytes);
  return [
    totalBytes === null ? done : said.ofAtMost(done, bytesText(words, totalBytes)),
    said.files(numberText(words, files)),
    ...(bytesPerSecond === null ? [] : [rateText(words, bytesPerSecond)]),
    etaSeconds === null ? words.cluster.resyncTimeUnknown : said.leftAtMost(durationText(words, etaSeconds)),
    differing === 0 ? said.nothingFound : said.found(numberText(words, differing)),
  ].join(' · ');
}

export function resyncText(words: Messages, resync: ResyncProgress): string {
  const said = words.cluster;
  const { doneBytes, totalBytes, bytesPerSecond, etaSeconds } = resync;
  const done = bytesText(words, doneBytes);
  return [
    ...(totalBytes === null || totalBytes === 0
      ? [done]
      : [percentText(words, doneBytes / totalBytes), said.resyncDone(done, bytesText(words, totalBytes))]),
    bytesPerSecond === null || etaSeconds === null
      ? said.resyncTimeUnknown
      : said.resyncRate(rateText(words, bytesPerSecond), durationText(words, etaSeconds)),
    ...(resync.yields === true ? [said.resyncYields] : []),
  ].join(' · ');
}
