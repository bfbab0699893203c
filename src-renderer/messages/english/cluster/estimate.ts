/** What a server that is away has to be compared with when it returns. */
import type { ChangedKind, WholeReason } from '../../../../agent/contract/index.ts';

export const estimate = {
  marked: (node: string, bytes: string, files: string) =>
    `When ${node} returns, at most ${bytes} in ${files} files and directories are compared.`,
  namesOnly: (node: string, files: string) =>
    `When ${node} returns, only names and attributes of ${files} files and directories are compared, no contents.`,
  unchanged: (node: string) => `Nothing has been changed since ${node} left.`,
  whole: (directories: string) => `Besides, all that is in ${directories} moved directories.`,
  everything: (node: string, bytes: string, why: string) =>
    `When ${node} returns, everything is compared, at most ${bytes}: ${why}.`,
  everythingUnknown: (node: string, why: string) => `When ${node} returns, everything is compared: ${why}.`,
  time: (time: string) => `As fast as the last time, that takes at most ${time}.`,
  reasons: {
    'no-log': 'there is no log of what was changed, as after a restart of the replication',
    'too-many-changes': 'more was changed than the log holds',
    unwritten: 'a disk has failed to write',
    'copies-differ': 'the copies were found to differ, and it waits for your order',
  } satisfies Readonly<Record<WholeReason, string>> as Readonly<Record<WholeReason, string>>,
  toCompare: 'To be compared',
  files: 'Which files',
  more: (count: string) => `… and ${count} more: holdfast resync MODULE --estimate --files`,
  kinds: {
    new: 'new',
    content: 'content',
    moved: 'name only',
    attributes: 'attributes',
    names: 'names in it',
  } satisfies Readonly<Record<ChangedKind, string>> as Readonly<Record<ChangedKind, string>>,
};
