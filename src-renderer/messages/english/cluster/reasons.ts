/** Why a server is as it is, by the reason codes of the agents and of this app. */
import type { ReasonWordings } from '../../cluster-words.ts';

const networksInWords = (count: number): string =>
  count === 1 ? 'the network' : count === 2 ? 'both networks' : `all ${count} networks`;
const byItself = 'Nothing to do: it will catch up by itself when it returns.';
const soon = 'Nothing to do: it ends by itself within seconds.';
const looksAt = (node: string, unit: string): string =>
  `Open a terminal on ${node} and look at the journal: journalctl -u ${unit}`;

const worded = {
  // --- what was wanted
  'stopped-by-order': (node) => ({
    what: `${node} was stopped by order`,
    remedy: 'Start the module when the work is done.',
  }),
  maintenance: (_node, peer) => ({
    what: `${peer} is silent, and in maintenance nothing is moved by itself`,
    remedy: 'End the maintenance when the work is done.',
  }),
  starting: (node) => ({ what: `the application is being started on ${node}`, remedy: soon }),
  stopping: (node) => ({ what: `the application is being stopped on ${node}`, remedy: soon }),
  'handing-over': (_node, peer) => ({ what: `${peer} is taking over`, remedy: soon }),
  resuming: (node) => ({ what: `the agent on ${node} has just been restarted`, remedy: soon }),
  // --- the other one
  'peer-silent': (node, peer, { state, networks }) =>
    state === 'alone' || state === 'primary'
      ? {
          what: `${peer} has been silent since then on ${networksInWords(networks)}`,
          cause: 'It may have no power.',
          remedy: byItself,
        }
      : {
          what: `${peer} is silent and may still be running the application; ${node} cannot know without a witness`,
          cause: 'Its power or the network between the two is gone.',
          remedy: `Bring ${peer} back. Promote ${node} only when ${peer} is certainly off.`,
        },
  'node-silent': (node, _peer, { networks }) => ({
    what: `${node} has been silent since then on ${networksInWords(networks)}`,
    cause: 'It may have no power.',
    remedy: byItself,
  }),
  'node-unreachable': (node) => ({ what: `${node} cannot be reached from here` }),
  'waiting-for-peer': (node, peer) => ({ what: `${node} waits for a sign of ${peer}`, remedy: soon }),
  'module-missing': (node) => ({
    what: `${node} waits for a module that this one depends on`,
    cause: 'It runs on neither server.',
    remedy: 'Start that module; this one follows by itself.',
  }),
  'waiting-for-primary': (node, peer) => ({ what: `${node} waits for ${peer} to become primary` }),
  'waiting-for-resync': (node, peer) => ({
    what: `${node} waits for ${peer} to bring its copy up to date`,
    remedy: 'Nothing to do: the resync begins as soon as both see each other.',
  }),
  'peer-has-newer-data': (_node, peer) => ({
    what: `${peer} has newer data and is stopped`,
    remedy: 'Start the module.',
  }),
  'peer-not-connected': (_node, peer) => ({
    what: `${peer} answers but does not take the changes`,
    cause: 'It is just starting, or the network for replication is cut.',
    remedy: 'Nothing to do for the first minute. Then check the replication network.',
  }),
  'peer-newer': (node, peer) => ({
    what: `${peer} runs the application with newer data, so ${node} gave way`,
    remedy: byItself,
  }),
  'peer-active': (_node, peer) => ({
    what: `${peer} holds the lease of the witness: it may be running although it is silent here`,
    remedy: `Look at ${peer}, and at the network between the two.`,
  }),
  deciding: (_node, peer) => ({
    what: `${peer} does not acknowledge any more; changes wait for the right to go on alone`,
    remedy: soon,
  }),
  'peer-expelled': (_node, peer) => ({
    what: `${peer} did not acknowledge a change in time and is not waited for`,
    cause: 'Its disk or the network was too slow.',
    remedy: 'It comes back by itself. When this repeats, look at its disk and at the network.',
  }),
  'peer-left': (_node, peer) => ({ what: `${peer} has left without a reason`, remedy: byItself }),
  'peer-closed': (_node, peer) => ({
    what: `${peer} closed the connection before it was made`,
    cause: 'It may not know the certificate of this server.',
    remedy: 'Apply the configuration again: it gives both servers the certificates.',
  }),
  'peer-unknown-certificate': (_node, peer) => ({
    what: `${peer} shows another certificate than the one on record`,
    cause: 'It was installed anew.',
    remedy: 'Apply the configuration again: it gives both servers the certificates.',
  }),
  'peer-speaks-garbage': (_node, peer) => ({
    what: `what ${peer} sends is not the replication of Holdfast`,
    remedy: 'Bring both servers to the same version of Holdfast.',
  }),
  'peer-unreachable': (_node, peer) => ({
    what: `the replication of ${peer} does not answer`,
    remedy: 'Check the network for replication.',
  }),
  'version-skew': (node, peer) => ({
    what: `${node} and ${peer} run versions of Holdfast that do not understand each other`,
    remedy: 'Apply the configuration again: it brings both servers to one version.',
  }),
  // --- the right to run
  'no-majority': (node, peer) => ({
    what: `${node} does not get enough votes to run the application`,
    cause: `Neither ${peer} nor the witness gives it theirs.`,
    remedy: `Bring ${peer} or the witness back. Promote ${node} only when ${peer} is certainly off.`,
  }),
  'ping-witness-silent': (node, peer) => ({
    what: `${node} reaches neither ${peer} nor the ping witness, so it starts nothing`,
    cause: `${node} may be the one that is cut off, and the application may be running on ${peer}.`,
    remedy: `Restore the network of ${node}. Promote ${node} only when ${peer} is certainly off.`,
  }),
  'cut-off': (node, peer) => ({
    what: `${node} reached neither ${peer} nor the ping witness and stopped`,
    cause: `Its network is cut, or ${peer} and the ping witness are lost at the same time.`,
    remedy: `Restore the network of ${node}; it goes on by itself.`,
  }),
  'vote-given': (node, peer) => ({
    what: `the vote of ${node} belongs to ${peer} until its lease has run out`,
    remedy: soon,
  }),
  overtaken: (node, peer) => ({
    what: `${node} lost the right to run the application to ${peer}`,
    remedy: byItself,
  }),
  restarted: (node) => ({
    what: `the agent on ${node} was restarted in the middle of a change, so the application is started anew`,
    remedy: soon,
  }),
  // --- the data
  resynchronising: (node) => ({ what: `${node} is being brought up to date` }),
  'peer-resynchronising': (_node, peer) => ({ what: `${peer} is being brought up to date` }),
  forked: () => ({
    what: 'both servers changed data while they could not see each other',
    cause: 'Nothing was erased.',
    remedy: 'Choose whose copy goes on: holdfast fork keep MODULE --node NODE. The other one is set aside.',
  }),
  'copy-stale': (node, peer) => ({
    what: `the copy on ${node} is not known to be complete`,
    cause: `${peer} went on without it.`,
    remedy: `Bring ${peer} back. Promote ${node} only if the data of ${peer} is lost.`,
  }),
  'copies-torn': () => ({
    what: 'neither server has everything: one part of the data went on alone on one server, another part may be complete on the other one only',
    cause: 'Power was lost, or a server was reset, while one of the two was about to go on alone.',
    remedy: 'Nothing was erased. Compare the two copies, then promote the server whose copy is to be kept.',
  }),
  'memory-lost': (node, peer) => ({
    what: `${node} has lost its memory, and ${peer} may hold acknowledged changes that are not on its disk`,
    cause: 'Power was lost, or the server was reset, while both ran together at the level "received".',
    remedy: `Bring ${peer} back. Promote ${node} only if the data of ${peer} is lost.`,
  }),
  'peer-is-newer': (node, peer) => ({
    what: `${peer} has a newer copy than ${node}`,
    remedy: `Start the module on ${peer} first.`,
  }),
  'not-the-same-data': (node, peer) => ({
    what: `the copies on ${node} and ${peer} were never the same data`,
    cause: 'One of the two was set up for something else, or its disk was replaced.',
    remedy: 'Set up the server without the good data anew.',
  }),
  'not-initialised': (node) => ({
    what: `the data of this module has not been set up on ${node}`,
    cause: 'The installation did not come to its end.',
    remedy: 'Go on with the installation, or apply the configuration again.',
  }),
  'module-unknown': (node) => ({
    what: `${node} does not know this module yet`,
    remedy: 'Apply the configuration again.',
  }),
  'record-damaged': (node) => ({
    what: `the record of the copy on ${node} is damaged`,
    cause: 'Its disk lost what was written.',
    remedy: 'Check the disk, then set up this server anew from the other one.',
  }),
  // --- what runs on the server
  'start-failed': (node) => ({
    what: `the application did not start on ${node}`,
    cause: 'Its start command failed or took too long.',
    remedy: `Read what it said in the logs of ${node}, mend it, then start the module again.`,
  }),
  'checker-failed': (node) => ({
    what: `a checker of the application fails on ${node}`,
    remedy: `The timeline says which one and what follows. When nothing follows by itself, look at the application on ${node}.`,
  }),
  'checker-wait': (node) => ({
    what: `${node} does not take the application until a checker is good again`,
    cause: 'Something that the application needs is missing there.',
    remedy: `Mend what the checker looks at on ${node}; the rest follows by itself.`,
  }),
  'restart-limit': (node, peer) => ({
    what: `the application failed too often on ${node} and is not started there again by itself`,
    remedy: `Find out why, then start the module again. Should ${peer} be lost, ${node} takes over if it still holds the right data.`,
  }),
  'stop-failed': (node) => ({
    what: `the application did not stop as planned on ${node} and was ended by force`,
    remedy: `Read what its stop command said in the logs of ${node}.`,
  }),
  'secondary-failed': (node) => ({
    what: `${node} could not become secondary; it tries again`,
    remedy: looksAt(node, 'holdfastd'),
  }),
  'replicator-down': (node) => ({
    what: `the replication process on ${node} does not answer`,
    remedy: looksAt(node, 'holdfast-replicator'),
  }),
  'replicator-lost': (node) => ({
    what: `the replication process on ${node} ended, and the application lost its files`,
    remedy: looksAt(node, 'holdfast-replicator'),
  }),
  'leftover-mount': (node) => ({ what: `a mount of an earlier run is being removed on ${node}`, remedy: soon }),
  'mount-lost': (node) => ({
    what: `somebody else unmounted the replicated directory on ${node}`,
    remedy: 'Nothing to do: it is mounted again. Find out who unmounted it.',
  }),
  // --- disks; whoever runs the application tells it of the other one
  'disk-full': (node, peer, { state }) => ({
    what: `the disk of ${state === 'alone' || state === 'primary' ? peer : node} is full`,
    cause: 'It could not take a change and has left.',
    remedy: 'Make room on the disk of the replicated directory; it comes back by itself.',
  }),
  'apply-failed': (node, peer, { state }) => ({
    what: `${state === 'alone' || state === 'primary' ? peer : node} could not write a change to its disk`,
    remedy: 'Look at its kernel log for disk errors: dmesg',
  }),
  'disk-failed': (node, peer, { state }) => ({
    what: `the disk of ${node} failed`,
    remedy:
      state === 'primary'
        ? `${peer} takes the application by itself as soon as it has everything and may run it (not during maintenance). Look at the kernel log (dmesg) and replace the disk.`
        : 'Look at its kernel log: dmesg. Mend or replace the disk while the other server works, then start the module: the copy is made equal again.',
  }),
  'copies-differ': (node, peer, { state }) => ({
    what: `the copy on ${state === 'alone' || state === 'primary' ? peer : node} differs from the other one`,
    cause:
      'A comparison has found it. The application does not go there until it is repaired, and nothing is overwritten without an order.',
    remedy:
      'Look at what differs, and decide which copy is the right one: “Compare the copies” in the menu of the module.',
  }),
  'source-unreadable': (node, peer) => ({
    what: `a file on ${node} cannot be read, so the copy of ${peer} cannot be completed`,
    cause: 'The disk has a damaged place.',
    remedy: 'Its kernel log names the disk: dmesg. Remove the damaged file, or restore it from a backup.',
  }),
  'disk-silent': (node) => ({
    what: `the disk of ${node} does not answer`,
    remedy: 'Look at its kernel log: dmesg',
  }),
  'lane-hangs': (node) => ({
    what: `the replication on ${node} hangs`,
    cause: 'Most likely its disk does not answer.',
    remedy: 'Look at its kernel log: dmesg. Restart holdfast-replicator when the disk works again.',
  }),
} satisfies ReasonWordings;
export const reasons: ReasonWordings<keyof typeof worded> = worded;
