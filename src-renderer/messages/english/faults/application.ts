/** Of the app itself: its files, its screens, its configuration files, its practice cluster. */
import { fact, type FaultDetails, type FaultText, type FaultWordings } from '../../fault-words.ts';

const configuration = (d: FaultDetails, wrong: string): FaultText => ({
  what: `${fact(d, 'file', 'The configuration')}, line ${fact(d, 'line', '1')}: ${wrong}.`,
  remedy: 'Correct the file; the technical detail lists every place and what to write.',
});
const ownMistake = {
  cause: 'This is a mistake in Holdfast, not in what you did.',
  remedy: 'Try again. If it happens again, give the technical detail to your support.',
};

export const application = {
  aborted: () => ({ what: 'Cancelled.' }),
  internal: () => ({ what: 'Holdfast met something that it does not expect.', ...ownMistake }),
  'invariant-broken': () => ({ what: 'Holdfast stopped what it did, to be on the safe side.', ...ownMistake }),
  'message-invalid': () => ({ what: 'An answer had another shape than expected.', ...ownMistake }),
  'message-too-long': () => ({ what: 'An answer was too long.', ...ownMistake }),
  'bad-parameters': () => ({ what: 'The screen asked for something that does not exist.', ...ownMistake }),
  'wrong-interface': () => ({ what: 'Another part of Holdfast answered than was asked.', ...ownMistake }),
  'unknown-method': () => ({
    what: 'The other side does not know this order yet.',
    cause: 'It runs an older version of Holdfast.',
    remedy: 'Apply the configuration again: it brings both servers to the version of this laptop.',
  }),
  'not-in-this-version': () => ({ what: 'This is not in this version of Holdfast.' }),
  'app-stopped': () => ({
    what: 'The app behind this page has stopped.',
    cause: 'It was closed, or the laptop restarted.',
    remedy:
      'Start it again and open the link that it prints. If only the way to it was cut, this page reconnects by itself.',
  }),
  'preferences-not-saved': (d) => ({
    what: `Your choice cannot be saved in ${fact(d, 'file', 'the folder of Holdfast')}.`,
    cause: 'The disk of this laptop is full, or the folder is protected.',
    remedy: 'It lasts as long as this page.',
  }),
  'no-cluster-known': () => ({
    what: 'This laptop does not know that cluster.',
    cause: 'It was forgotten, or never used from here.',
    remedy: 'Go back to the start; open its configuration file to add it.',
  }),
  'terminal-unavailable': (d) => ({
    what: 'No terminal can be opened on this laptop.',
    cause: fact(d, 'reason', 'The module that opens them could not be loaded.'),
    remedy: 'Shells on the servers work without it.',
  }),
  'too-many-terminals': (d) => ({
    what: `${fact(d, 'terminalsMax', 'Too many')} terminals are open.`,
    remedy: 'Close one of them.',
  }),
  'cluster-unknown': () => ({
    what: 'This laptop does not know that cluster any more.',
    cause: 'It was forgotten here; the servers go on.',
    remedy: 'Add it again by its configuration file.',
  }),
  'practice-impossible': () => ({ what: 'There can be no practice cluster on this machine.' }),
  'practice-busy': () => ({
    what: 'The practice cluster is being made or taken away.',
    remedy: 'Wait until that has ended.',
  }),
  'practice-made-elsewhere': () => ({
    what: 'Another copy of Holdfast on this machine is making the practice cluster.',
    remedy: 'Wait until it is ready, or end that copy.',
  }),
  'practice-none': () => ({ what: 'There is no practice cluster.', remedy: 'Make it on the start screen.' }),
  'practice-lab-failed': (d) => ({
    what: 'The practice servers do not do what was asked.',
    cause: fact(d, 'reason', 'They were stopped from outside.'),
    remedy: 'Mend what is named here, then make the practice cluster again.',
  }),
  'practice-not-removed': (d) => ({
    what: 'The practice servers could not be made, and not be taken away either.',
    remedy: `Take them away by hand: sudo npm run lab -- down --name ${fact(d, 'lab', 'practice')}.`,
  }),
  'no-such-host': (d) => ({ what: `The practice cluster has no server ${fact(d, 'host', 'of that name')}.` }),
  'configuration-unreadable': (d) => ({
    what: `${fact(d, 'file', 'The configuration file')} cannot be read.`,
    cause: 'It was moved, or you may not read it.',
    remedy: 'Give the path of the configuration file.',
  }),
  'configuration-not-text': (d) => configuration(d, 'this is not a configuration file'),
  'configuration-syntax': (d) => configuration(d, 'this is not YAML'),
  'configuration-tab': (d) => configuration(d, 'a tab stands where spaces must'),
  'configuration-duplicate-key': (d) => configuration(d, 'a key stands twice in the same place'),
  'configuration-unknown-key': (d) => configuration(d, 'a key is not known here'),
  'configuration-missing-key': (d) => configuration(d, 'a key is missing'),
  'configuration-wrong-value': (d) => configuration(d, 'a value is wrong'),
} satisfies FaultWordings;
