/** Of a cluster that is set up: its agents, orders, scripts, disks and the link between the servers. */
import { fact, type FaultWordings } from '../../fault-words.ts';

const readReplicatorJournal = 'Open a terminal there: journalctl -u holdfast-replicator.';
const lookAtDisk =
  'Open a terminal there and look for disk errors: dmesg. The application should go on on the other server.';

export const operation = {
  'agent-not-answering': (d) => ({
    what: `SSH to ${fact(d, 'host', fact(d, 'node', 'the server'))} works, but the agent there does not answer.`,
    cause: 'It was stopped, or it does not start.',
    remedy:
      'Open a terminal there: systemctl status holdfastd. Applying the configuration again mends an interrupted installation.',
  }),
  'agents-not-answering': () => ({
    what: 'SSH works, but the agent answers on neither server.',
    cause: 'Both were stopped, or an installation was interrupted.',
    remedy: 'Open a terminal: systemctl status holdfastd. After an interrupted installation, go on with it.',
  }),
  'not-answered-yet': (d) => ({
    what: `${fact(d, 'node', 'The server')} has not answered yet.`,
    remedy: 'Nothing to do: it is being asked.',
  }),
  'agent-down': () => ({
    what: 'The agent of this server does not answer.',
    remedy: 'Open a terminal there: systemctl status holdfastd.',
  }),
  'not-running': () => ({
    what: 'A Holdfast service of this server does not run.',
    remedy: 'Open a terminal there: systemctl status holdfastd holdfast-replicator.',
  }),
  'servers-unreachable': () => ({
    what: 'Neither server can be reached from here.',
    cause: 'Both are off, or this laptop is in another network.',
    remedy: 'Check the cable of the laptop first, then the power of the servers.',
  }),
  'version-skew': (d) => ({
    what: `The other side runs Holdfast ${fact(d, 'theirs', 'in another version')}, which does not speak with this one.`,
    cause: 'An upgrade has reached one side only.',
    remedy: 'Apply the configuration again with the newer version: it brings both servers to it, one after the other.',
  }),
  'not-holdfast': () => ({
    what: 'What answers there is not Holdfast.',
    cause: 'The login shell prints something of its own, or no agent is installed.',
    remedy: 'Open a terminal there and look at what the shell prints first.',
  }),
  'confirmation-wrong': (d) => ({
    what: `What was typed is not ${fact(d, 'module', 'the name of the module')}.`,
    remedy: 'Type the name of the module, exactly, or leave it.',
  }),
  'order-incomplete': (d) => ({
    what: `${fact(d, 'told', 'One server')} has the order, ${fact(d, 'notTold', 'the other server')} does not.`,
    cause: 'It runs, but could not be told; it may go on or take over.',
    remedy: 'Give the order again when the connection is back.',
  }),
  'no-such-module': (d) => ({
    what: `There is no module ${fact(d, 'module', 'of that name')} on this server.`,
    cause: 'The configuration was changed, or it has not reached this server.',
    remedy: 'Read the cluster again.',
  }),
  'no-primary': (d) => ({
    what: `${fact(d, 'module', 'The module')} runs on no server that can be reached.`,
    remedy: 'Start it, or bring the server back that ran it.',
  }),
  'not-primary': () => ({
    what: 'This server does not run the application, so it cannot follow this order.',
    cause: 'The application has moved in the meantime.',
    remedy: 'Read the cluster again, then give the order once more.',
  }),
  'already-primary': () => ({
    what: 'This server already runs the application, or is about to.',
    remedy: 'Nothing to do.',
  }),
  'module-needed': () => ({
    what: 'Another module that runs depends on this one.',
    cause: 'Its application would lose what it needs.',
    remedy: 'Stop the other module first.',
  }),
  'peer-not-ready': () => ({
    what: 'The other server cannot take over now.',
    cause: 'Its copy is not up to date.',
    remedy: 'Wait until the module is protected, then swap.',
  }),
  'peer-active': () => ({
    what: 'The other server runs the application now.',
    remedy: 'Swap, or stop the module, instead of promoting.',
  }),
  'peer-has-newer-data': () => ({
    what: 'The other server is there, and its copy has what this one lacks.',
    cause: 'Both wait for another module that this one depends on.',
    remedy: 'Start that module. If this copy is to be used all the same, stop this module first.',
  }),
  'no-data': () => ({
    what: 'This server has never held the data of this module.',
    remedy: 'Promote the other server.',
  }),
  'replicator-down': () => ({
    what: 'The replication process of this server does not answer.',
    remedy: readReplicatorJournal,
  }),
  'not-configured': () => ({
    what: 'This server belongs to no cluster yet.',
    remedy: 'Apply the configuration from this laptop.',
  }),
  'state-unreadable': (d) => ({
    what: `What the server wrote down about ${fact(d, 'module', 'its votes')} cannot be read.`,
    cause: 'Its disk was full or is failing.',
    remedy: 'Restore the file that the technical detail names, or set this server up again from the other one.',
  }),
  'logs-unavailable': () => ({
    what: 'The journal of this server cannot be read.',
    remedy: 'Open a terminal there: journalctl -u holdfastd.',
  }),
  'script-timed-out': (d) => ({
    what: `The ${fact(d, 'script', 'start')} script did not end in time.`,
    remedy: `Read what it printed: ${fact(d, 'outputFile', 'see the detail')}.`,
  }),
  'script-failed': (d) => ({
    what: `The ${fact(d, 'script', 'start')} script failed with exit ${fact(d, 'exitCode', 'by a signal')}.`,
    remedy: `Read what it printed: ${fact(d, 'outputFile', 'see the detail')}.`,
  }),
  'copy-stale': () => ({
    what: 'The copy on this server is stale: it lacks what was written on the other one.',
    remedy: 'Start the other server first. Promote this one only when the other data is lost for good.',
  }),
  forked: () => ({
    what: 'Both servers changed data while they could not see each other. Nothing was erased.',
    remedy: 'Choose whose version is kept: holdfast fork keep MODULE --node NODE. The other one is set aside.',
  }),
  'peer-is-newer': (d) => ({
    what: `${fact(d, 'peer', 'The other server')} holds newer data.`,
    remedy: 'Stop the module here and let the other server run it.',
  }),
  'not-the-same-data': () => ({
    what: 'The two copies were never the same data.',
    cause: 'The other server was set up for another cluster or another application.',
    remedy: 'Choose the good copy and set up the other server again.',
  }),
  'not-initialised': () => ({
    what: 'The data of this module is not set up on this server.',
    remedy: 'Apply the configuration.',
  }),
  'volume-busy': () => ({ what: 'The module still runs on this server.', remedy: 'Stop it first.' }),
  'record-too-new': () => ({
    what: 'The record of this copy was written by a newer Holdfast.',
    remedy: 'Apply the configuration with the newer version: it brings this server to it too.',
  }),
  'not-this-volume': () => ({
    what: 'This directory holds the replicated data of something else.',
    remedy: 'Give the right directory, or set this one up anew; what stands there is kept aside.',
  }),
  'record-damaged': () => ({
    what: 'The record that tells which data this copy lacks is damaged.',
    cause: 'The disk of this server is failing.',
    remedy: 'Check the disk, then set this server up again from the other one.',
  }),
  'disk-failed': () => ({
    what: 'The disk of this server fails.',
    remedy: lookAtDisk,
  }),
  'copies-differ': () => ({
    what: 'The secondary’s copy was found to differ from the primary’s. Nothing is overwritten before you say so.',
    remedy: 'Look at what differs, then make it equal to the primary’s: holdfast verify MODULE --repair.',
  }),
  'set-aside-unfinished': () => ({
    what: 'What stood in the directory was being set aside when this was interrupted; nothing is lost.',
    remedy: 'Order again which server’s version is kept: holdfast fork keep MODULE --node NODE.',
  }),
  'no-such-kept-copy': () => ({
    what: 'Nothing of that name was set aside on this server.',
    remedy: 'Look at what is kept: holdfast fork list MODULE.',
  }),
  'path-not-usable': () => ({
    what: 'The path leads out of where it may lead.',
    remedy: 'Write it as holdfast fork show prints it, and a directory outside of the replicated one with --to.',
  }),
  'not-forked': () => ({
    what: 'The two copies have not forked.',
    remedy: 'Look at holdfast status; holdfast verify MODULE compares copies that are connected.',
  }),
  'no-room': () => ({
    what: 'The disk has no room for the other server’s copy beside the one that is set aside.',
    remedy: 'Make room on it, or give it a larger disk.',
  }),
  'verify-not-possible': () => ({
    what: 'The copies cannot be compared now.',
    cause: 'A comparison needs both servers connected, both up to date, and with the same version of Holdfast.',
    remedy: 'Wait until the other server is up to date, then try again.',
  }),
  'source-unreadable': () => ({
    what: 'A file cannot be read, so the other copy cannot be completed.',
    remedy: lookAtDisk,
  }),
  'disk-silent': () => ({
    what: 'The disk of this server does not answer.',
    remedy: lookAtDisk,
  }),
  'apply-failed': () => ({
    what: 'The secondary could not make a change and has left.',
    cause: 'Its disk fails or refuses.',
    remedy: 'Open a terminal there and look for disk errors: dmesg. It comes back by itself.',
  }),
  'lane-hangs': () => ({
    what: 'The replication of this server hangs.',
    cause: 'Most likely its disk does not answer.',
    remedy: 'Look for disk errors (dmesg); restart holdfast-replicator when the disk works again.',
  }),
  'mount-lost': () => ({
    what: 'The replicated directory was unmounted by somebody else.',
    remedy: 'Restart the module. Leave the mount to Holdfast.',
  }),
  'mount-busy': (d) => ({
    what: `The replicated directory is still in use by ${fact(d, 'holders', 'a program')}.`,
    cause: 'The stop script leaves something running.',
    remedy: 'Let the stop script end everything that uses the directory.',
  }),
  'stop-unfinished': () => ({
    what: 'A program of the application could not be ended.',
    cause: 'It hangs in the kernel, mostly because of a disk or a network file system that does not answer.',
    remedy: 'Look for processes in state D (ps) and at dmesg; Holdfast goes on trying.',
  }),
  'application-returns': () => ({
    what: 'The application is started again as often as it is ended.',
    cause: 'Something beside Holdfast starts it: a socket or timer unit, a supervisor, cron.',
    remedy: 'Take it out of whatever starts it; until then it stays cut off from the network.',
  }),
  'reset-refused': () => ({
    what: 'The application could not be ended, and this server was not reset.',
    cause: 'It runs another module, or it may not reset itself (a container).',
    remedy: 'Move the other modules away and restart this server by hand; until then the application stays cut off.',
  }),
  'unmount-hangs': (d) => ({
    what: `${fact(d, 'path', 'The replicated directory')} could not be unmounted in time.`,
    cause: 'A program hangs in it.',
    remedy: 'Look at what uses it: fuser -vm.',
  }),
  'peer-unreachable': (d) => ({
    what: `${fact(d, 'peer', 'The other server')} does not answer on the replication network.`,
    remedy: 'Check the network between the two servers.',
  }),
  'peer-silent': (d) => ({
    what: `${fact(d, 'peer', 'The other server')} is silent.`,
    remedy: 'Nothing to do: it catches up by itself when it returns.',
  }),
  'peer-closed': (d) => ({
    what: `${fact(d, 'peer', 'The other server')} closed the replication link before it was made.`,
    cause: 'It may not know the certificate of this server.',
    remedy: 'Apply the configuration again: it gives both servers each other’s certificates.',
  }),
  'peer-unknown-certificate': (d) => ({
    what: `${fact(d, 'peer', 'The other server')} shows another certificate than the one on record.`,
    cause: 'It was installed again, or another machine answers at its address.',
    remedy: 'Apply the configuration again: it gives both servers each other’s certificates.',
  }),
  'peer-speaks-garbage': (d) => ({
    what: `${fact(d, 'peer', 'What answers on the replication port')} does not speak the protocol of Holdfast.`,
    cause: 'Another program uses the port 7411 of that address.',
    remedy: 'Look at ss -ltnp on that server.',
  }),
  'peer-expelled': () => ({
    what: 'The other server did not confirm a change in time and is not waited for any more.',
    remedy: 'It comes back by itself. When this repeats, look at its disk and at the network.',
  }),
  'vip-not-dropped': (d) => ({
    what: `${fact(d, 'address', 'The virtual IP')} could not be taken away from this server.`,
    remedy: 'Look at the journal of holdfastd. The kernel cuts the address off by itself when the lease has run out.',
  }),
  preempted: () => ({
    what: 'The order was given up for a more urgent one.',
    remedy: 'Look at what happened, then give it again if you still want it.',
  }),
} satisfies FaultWordings;
