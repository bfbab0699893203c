/** Comparing the two copies: is the data protected, what happens now, what to do. */
import type { DifferenceKind } from '../../../../agent/contract/index.ts';
import type { ComparisonObstacle, StageKind } from '../../../comparison/stage.ts';
import type { ComparisonWords, StageWording } from '../../comparison-words.ts';

export const comparison = {
  name: 'Compare the copies',
  title: (module: string) => `Compare the copies of ${module}`,
  reading: 'Asking the servers …',
  stages: {
    'not-compared': ({ module, primary }) => ({
      what: `The copies have not been compared since ${module} runs on ${primary}.`,
      cause:
        'Every confirmed write is on both servers, so they should be equal. A comparison reads both copies and finds what a disk has lost or a person has changed past Holdfast.',
      remedy: 'Compare after a repair of a disk, and now and then. It runs beside the application and yields to it.',
    }),
    running: ({ secondary, willRepair, isProtected }) => ({
      what: willRepair
        ? `The copies are being compared; then that on ${secondary} is made equal.`
        : 'The copies are being compared.',
      cause: isProtected
        ? 'The data stays protected, and the application works meanwhile.'
        : `Not protected: the copy on ${secondary} is not used, because of what was found already.`,
      remedy: 'Nothing to do. The comparison goes on when this window is closed.',
    }),
    equal: ({ primary, secondary, minor }) => ({
      what: `The copy on ${secondary} is equal to that on ${primary}.`,
      cause:
        minor > 0
          ? `Every file was read on both servers; ${minor} differ in times or holes only, which harms nothing.`
          : 'Every file was read on both servers.',
      remedy: 'Nothing to do.',
    }),
    different: ({ primary, secondary }) => ({
      what: `Not protected: the copy on ${secondary} differs from that on ${primary}.`,
      cause: `The copy on ${secondary} is not used: should ${primary} fail, the application stops. Nothing is overwritten without your order.`,
      remedy: `Look at what differs. If the copy on ${primary} is the right one, make the other one equal to it.`,
    }),
    unreadable: ({ primary, secondary }) => ({
      what: `The disk of ${primary} does not read all of its copy.`,
      cause: `That part could not be compared. Nothing was repaired, since the copy on ${secondary} may be the only good one.`,
      remedy: `Move the application to ${secondary}, then mend the disk of ${primary}.`,
    }),
    interrupted: () => ({
      what: 'The comparison did not come to its end.',
      cause:
        'The servers were separated, or one of them lacked memory or descriptors. Nothing is known of what was not compared by then.',
      remedy: 'Compare again.',
    }),
    stopped: () => ({
      what: 'The comparison was stopped.',
      cause: 'Nothing is known of what was not compared by then.',
      remedy: 'Compare again when there is time.',
    }),
    repairing: ({ primary, secondary }) => ({
      what: `Not protected yet: the copy on ${secondary} is being made equal to that on ${primary}.`,
      cause: 'Only what differs is sent, and the application works meanwhile.',
      remedy: 'Nothing to do.',
    }),
    repaired: ({ primary, secondary }) => ({
      what: `The copy on ${secondary} was repaired: it is equal to that on ${primary}.`,
      cause: 'A disk had lost data, or somebody had written past Holdfast.',
      remedy: `Find out which: look at the kernel log of ${secondary}, and ask who works there.`,
    }),
  } satisfies Readonly<Record<StageKind, StageWording>> as Readonly<Record<StageKind, StageWording>>,
  obstacles: {
    'runs-nowhere': ({ module }) => `${module} runs on no server that can be asked.`,
    'not-connected': ({ secondary }) => `Both servers must be connected: ${secondary} does not follow now.`,
    'resync-runs': ({ secondary }) => `${secondary} is being brought up to date. Compare when that has ended.`,
  } satisfies Readonly<Record<ComparisonObstacle, ComparisonWords>> as Readonly<
    Record<ComparisonObstacle, ComparisonWords>
  >,
  progress: 'Compared',
  ofAtMost: (done: string, total: string) => `${done} of at most ${total}`,
  files: (count: string) => `${count} files`,
  leftAtMost: (time: string) => `at most ${time} left`,
  found: (count: string) => `${count} differ so far`,
  nothingFound: 'nothing differs so far',
  // --- the last one
  last: (time: string, result: string, files: string) => `Last comparison: ${time}, ${files} files, ${result}`,
  lastShort: (time: string, result: string) => `Last time ${time}: ${result}`,
  outcomes: { equal: 'equal', different: 'different', repaired: 'different, and repaired' },
  never: 'No comparison has come to its end yet.',
  // --- what differs
  differences: 'What differs',
  path: 'File or directory',
  how: 'How',
  firstOf: (shown: string, all: string) => `The first ${shown} of ${all} are listed.`,
  notListed: 'What was found is no longer in the memory of the servers. A new comparison lists it.',
  wholeDirectory: 'the directory itself',
  inBytes: (kind: string, bytes: string) => `${kind} (${bytes})`,
  kinds: {
    'only-on-primary': ({ primary }) => `only on ${primary}`,
    'only-on-secondary': ({ secondary }) => `only on ${secondary}`,
    type: () => 'another kind of file',
    content: () => 'other content',
    size: () => 'other size',
    mode: () => 'other permissions',
    owner: () => 'other owner',
    device: () => 'other device number',
    links: () => 'other hard links',
    'link-target': () => 'the link leads elsewhere',
    'extended-attributes': () => 'other attributes or access list',
    'unreadable-on-secondary': ({ secondary }) => `the disk of ${secondary} does not read it`,
    'unreadable-on-primary': ({ primary }) => `the disk of ${primary} does not read it`,
    times: () => 'other time',
    holes: () => 'zeros instead of a hole',
  } satisfies Readonly<Record<DifferenceKind, ComparisonWords>> as Readonly<Record<DifferenceKind, ComparisonWords>>,
  // --- what may be done
  compareNow: 'Compare now',
  compareAgain: 'Compare again',
  stop: 'Stop comparing',
  repair: (primary: string, secondary: string) => `Make ${secondary}’s copy equal to ${primary}’s`,
  repairOverwrites: (primary: string, secondary: string) =>
    `Whatever differs on ${secondary} is overwritten with what ${primary} has, and what only ${secondary} has is removed. It cannot be brought back.`,
  repairReads: (secondary: string) =>
    `Both copies are read whole for that. Until it has ended the application cannot move to ${secondary}.`,
  repairAtOnce: (secondary: string) =>
    `It begins as soon as ${secondary} is connected. Until it has ended the application cannot move there.`,
  repairOther: (module: string, primary: string, secondary: string) =>
    `Is the copy on ${secondary} the right one, because it was ${primary} that lost or damaged data? Then do not overwrite it: stop ${module}, then promote ${secondary}. The copy on ${primary} is set aside.`,
  repairDo: (secondary: string) => `Overwrite the copy on ${secondary}`,
  back: 'Back',
  // --- the one thing to do now
  lookAtDifferences: 'Look at what differs',
};
