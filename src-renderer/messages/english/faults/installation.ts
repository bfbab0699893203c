/** While a cluster is set up: the wizard, the packages, the directories, the addresses. */
import { fact, type FaultWordings } from '../../fault-words.ts';

const applyAgain = 'Apply the configuration again from this laptop.';

export const installation = {
  'draft-changed-elsewhere': () => ({
    what: 'Another window has changed these answers.',
    cause: 'The wizard is open twice on this laptop.',
    remedy: 'Go on in one of them: this page now shows the newer answers.',
  }),
  'no-such-draft': () => ({
    what: 'These answers are gone.',
    cause: 'They were discarded, or the installation is finished.',
    remedy: 'Go back to the start.',
  }),
  'draft-unreadable': (d) => ({
    what: `The saved answers in ${fact(d, 'file', 'the draft')} cannot be read.`,
    cause: 'The disk was full, or the file was changed by hand.',
    remedy: 'Discard them and begin again; nothing on the servers was changed by this.',
  }),
  'draft-not-saved': (d) => ({
    what: `Your answers cannot be saved in ${fact(d, 'file', 'the folder of Holdfast')}.`,
    cause: 'The disk of this laptop is full or the folder is protected.',
    remedy: 'Make room. Until then the answers last as long as this page.',
  }),
  'answers-incomplete': () => ({
    what: 'Some questions have no answer yet.',
    remedy: 'Go back to the steps that are marked.',
  }),
  'installation-running': () => ({
    what: 'This installation is running already.',
    remedy: 'Nothing to do: its steps are shown here.',
  }),
  'installation-running-elsewhere': (d) => ({
    what: `Another Holdfast is changing ${fact(d, 'host', fact(d, 'node', 'these servers'))} now.`,
    cause: 'Another window, or a colleague, installs or changes the same cluster.',
    remedy: 'Wait until it has ended, then try again.',
  }),
  'installation-interrupted': () => ({
    what: 'The installation was interrupted.',
    cause: 'You stopped it, or the app ended before it did.',
    remedy: 'Go on: what was done already is not done twice.',
  }),
  'checks-failed': (d) => ({
    what: `Holdfast cannot be installed yet: ${fact(d, 'hosts', 'a server')} does not meet every condition.`,
    remedy: 'Look at the checks: each one says how to mend it.',
  }),
  'both-copies-have-data': (d) => ({
    what: `Both servers have data of ${fact(d, 'module', 'this module')}.`,
    cause: 'Holdfast never guesses which copy is the good one.',
    remedy: 'Choose the server with the good data. The other copy is kept aside.',
  }),
  'good-copy-empty': (d) => ({
    what: `${fact(d, 'good', 'The chosen server')} is to have the good data of ${fact(d, 'module', 'this module')}, and its ${fact(d, 'path', 'directory')} is empty; ${fact(d, 'other', 'the other server')} has data there.`,
    cause: 'A disk is not mounted, or data has come since the servers were looked at.',
    remedy: 'Look why it is empty, then choose the server with the good data.',
  }),
  'good-copy-decided': (d) => ({
    what: `The data of ${fact(d, 'module', 'this module')} on ${fact(d, 'node', 'the other server')} is the good copy already.`,
    cause: 'An earlier installation has set it up; now the other server is chosen.',
    remedy: `Choose ${fact(d, 'node', 'that server')}, and what stands on the other one is kept aside; or uninstall first.`,
  }),
  'no-good-copy': (d) => ({
    what: `No server has a known good copy of ${fact(d, 'module', 'this module')}.`,
    cause: `${fact(d, 'node', 'One server')} never got all of it, or its record is damaged.`,
    remedy: 'If the data of the other server is good, choose it; or bring it back there from a backup first.',
  }),
  'server-replaced': (d) => ({
    what: `${fact(d, 'node', 'A server')} is another machine than the one that you looked at.`,
    cause: 'The server was exchanged or installed anew, or its address belongs to another machine now.',
    remedy: 'Go back to the servers, connect again, and look at the data again.',
  }),
  'no-such-node': (d) => ({
    what: `No server of this cluster is named ${fact(d, 'node', 'so')}.`,
    remedy: 'Choose one of the two servers.',
  }),
  'belongs-to-another-cluster': (d) => ({
    what: `${fact(d, 'node', 'This server')} belongs to the cluster ${fact(d, 'cluster', 'of somebody else')} already.`,
    cause: 'A server can be in one cluster only.',
    remedy: `Choose another server, or take it out of there first: holdfast uninstall, with the configuration of ${fact(d, 'cluster', 'that cluster')}.`,
  }),
  'networks-unknown': () => ({
    what: 'It is not clear which network connects the two servers.',
    cause: 'They share none, or several.',
    remedy: 'Choose the networks for replication and heartbeats.',
  }),
  'network-without-node': (d) => ({
    what: `${fact(d, 'node', 'A server')} has no address in the network ${fact(d, 'network', 'that was chosen')}.`,
    remedy: 'Choose another network, or give the server an address there.',
  }),
  'witness-without-address': () => ({
    what: 'The witness has no address that the two servers can reach.',
    remedy: 'Give it an address in one of the networks of the cluster.',
  }),
  'agent-does-not-start': (d) => ({
    what: `The agent does not start on ${fact(d, 'host', 'the server')}.`,
    cause: 'Its journal says why.',
    remedy: 'Open a terminal there: journalctl -u holdfastd -u holdfast-replicator.',
  }),
  'runtime-does-not-run': (d) => ({
    what: `The Node runtime does not run on ${fact(d, 'host', 'the server')}.`,
    cause: 'A library is missing there; the technical detail names it.',
    remedy: 'Install libstdc++ and libgcc with the package manager of the server.',
  }),
  'runtime-missing': (d) => ({
    what: `This laptop has no Node runtime for ${fact(d, 'architecture', 'these')} servers.`,
    cause: 'This copy of Holdfast was installed without it.',
    remedy: 'Connect the laptop to the internet once and start Holdfast, or use the full installer.',
  }),
  'runtime-unusable': () => ({
    what: 'The Node runtime on this laptop cannot be prepared for servers.',
    cause: 'The file is damaged.',
    remedy: 'Install Holdfast again.',
  }),
  'agent-missing': () => ({
    what: 'This copy of Holdfast holds no agent to install.',
    remedy: 'Install Holdfast again; in a checkout: npm run build-agent.',
  }),
  'agent-build-failed': () => ({
    what: 'The agent could not be built.',
    remedy: 'Run npm run build-agent and read what it says.',
  }),
  'application-does-not-stop': (d) => ({
    what: `The application does not stop on ${fact(d, 'node', 'the server')}: ${fact(d, 'said', 'its stop command failed')}.`,
    cause: 'Nobody may use its directory while replication takes its place. The application runs as before.',
    remedy: `Try ${fact(d, 'command', 'the stop command')} in a terminal there, and correct it in the wizard.`,
  }),
  'directory-in-use': (d) => ({
    what: `${fact(d, 'path', 'The directory')} is in use by ${fact(d, 'holders', 'a program')}.`,
    cause: 'The application still runs, or starts at boot. From now on Holdfast starts it.',
    remedy: 'Stop it and disable its start at boot (systemctl disable --now), then try again.',
  }),
  'directory-seen-elsewhere': (d) => ({
    what: `${fact(d, 'path', 'The directory')} could be written to beside its cover by ${fact(d, 'holders', 'a container or service')}.`,
    cause: 'A container or a service has mounts of its own that do not follow those of the server.',
    remedy: `Stop it, or give it the directory with rslave: docker run -v ${fact(d, 'path', 'DIR')}:${fact(d, 'path', 'DIR')}:rslave.`,
  }),
  'directory-not-empty': (d) => ({
    what: `${fact(d, 'path', 'The directory')} on the other server is not empty.`,
    remedy: 'Confirm that what stands there is kept aside, or choose this copy as the good one.',
  }),
  'directory-missing': (d) => ({
    what: `${fact(d, 'path', 'The directory')} does not exist.`,
    cause: 'The path is wrong, or the disk that holds it is not mounted.',
    remedy: 'Create it, or correct the path.',
  }),
  'not-a-directory': (d) => ({
    what: `${fact(d, 'path', 'The path')} is not a directory.`,
    remedy: 'Choose the directory that holds it.',
  }),
  'directory-not-readable': (d) => ({
    what: `${fact(d, 'path', 'The directory')} cannot be opened.`,
    remedy: 'Open a terminal there and look at its rights and at its disk.',
  }),
  'path-is-mount-point': (d) => ({
    what: `${fact(d, 'path', 'The directory')} is a mount point.`,
    cause: 'If its disk were not mounted one day, an empty directory would be taken for the data.',
    remedy: `Move the data into a directory below it, such as ${fact(d, 'path', '/data')}/data.`,
  }),
  'mount-below-path': (d) => ({
    what: `Other file systems are mounted below ${fact(d, 'path', 'the directory')}: ${fact(d, 'mounts', 'see the detail')}.`,
    remedy: 'Unmount them, or choose another directory.',
  }),
  'filesystem-not-supported': (d) => ({
    what: `${fact(d, 'path', 'The directory')} is on ${fact(d, 'type', 'a file system')}, which cannot be replicated.`,
    remedy: 'Move the data to a local disk with ext4 or XFS.',
  }),
  'already-initialised': (d) => ({
    what: `${fact(d, 'path', fact(d, 'volume', 'The directory'))} is set up already.`,
    remedy: 'Say which copy is good, and that the other record may be replaced.',
  }),
  'volumes-nested': (d) => ({
    what: `${fact(d, 'inner', 'One directory')} lies in ${fact(d, 'outer', 'another one')}.`,
    cause: 'A directory can be replicated once.',
    remedy: 'Replicate the outer one only.',
  }),
  'mount-failed': (d) => ({
    what: `${fact(d, 'path', 'The directory')} cannot be mounted over.`,
    cause: 'The kernel of the server refuses it; the technical detail says how.',
    remedy: 'Check that FUSE works there: modprobe fuse.',
  }),
  'mount-copy-failed': (d) => ({
    what: `The mount above ${fact(d, 'path', 'the directory')} cannot be used.`,
    cause: 'The agent lacks the right to mount, as in a container without it.',
    remedy: 'Use a server or a virtual machine, or give the container that right.',
  }),
  'unmount-failed': (d) => ({
    what: `${fact(d, 'path', 'The directory')} cannot be uncovered.`,
    cause: 'A program still uses it.',
    remedy: 'Stop what uses it (fuser -vm shows it), then try again.',
  }),
  'fuse-missing': () => ({
    what: 'The server has no FUSE.',
    cause: 'Replicated directories are served through it.',
    remedy: 'Load the kernel module (modprobe fuse); in a container, pass /dev/fuse to it.',
  }),
  'program-missing': (d) => ({
    what: `${fact(d, 'program', 'A program')} is not installed on the server.`,
    remedy: `Install the package that has ${fact(d, 'program', 'it')}.`,
  }),
  'vip-no-interface': (d) => ({
    what: `No interface of the server is in the network of ${fact(d, 'address', 'the virtual IP')}.`,
    remedy: 'Choose an address of a network that both servers are in, or name the interface.',
  }),
  'vip-already-used': (d) => ({
    what: `Another machine (${fact(d, 'answeredBy', 'unknown')}) answers at the virtual IP ${fact(d, 'address', 'already')}.`,
    cause: 'Two machines with one address cut each other off.',
    remedy: 'Choose a free address, or take it away from that machine.',
  }),
  'cannot-listen': (d) => ({
    what: `The server cannot listen on ${fact(d, 'address', 'its address')}, port ${fact(d, 'port', '7411')}.`,
    cause: 'The address is not up, or another program uses the port.',
    remedy: 'Look at ss -ltnp there.',
  }),
  'node-unnamed': () => ({ what: 'This server has no name in a cluster yet.', remedy: applyAgain }),
  'node-not-in-cluster': (d) => ({
    what: `The configuration does not name the server ${fact(d, 'node', 'that was asked')}.`,
    remedy: applyAgain,
  }),
  'revision-too-old': () => ({
    what: 'The servers have a newer configuration than this one.',
    cause: 'Somebody changed the cluster from another laptop.',
    remedy: 'Use the current configuration file.',
  }),
  'certificate-unusable': () => ({ what: 'A certificate of the servers cannot be used.', remedy: applyAgain }),
  'secret-too-short': () => ({ what: 'The secret of the cluster is damaged.', remedy: applyAgain }),
} satisfies FaultWordings;
