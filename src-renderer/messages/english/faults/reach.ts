/** On the way to a server: the network, the login, the copy of a file. */
import { fact, type FaultWordings } from '../../fault-words.ts';

const whereToCompare =
  'Compare it at the console of the server: ssh-keygen -l -f /etc/ssh/ssh_host_*_key.pub. Accept it only when it is the same.';

export const reach = {
  'ssh-unreachable': (d) => ({
    what: `${fact(d, 'host', 'The server')} does not answer on port ${fact(d, 'port', '22')}.`,
    cause: 'It is off, the address is wrong, its SSH service does not run, or a firewall stands in between.',
    remedy: 'Check its power, its cable and the address.',
  }),
  'laptop-offline': () => ({
    what: 'This laptop has no network.',
    cause: 'The cable is out or Wi-Fi is off. The servers go on without it.',
    remedy: 'Connect the laptop; the screen follows by itself.',
  }),
  'laptop-slept': (d) => ({
    what: `This laptop slept from ${fact(d, 'from', 'an unknown time')} to ${fact(d, 'to', 'now')}.`,
    cause: 'The servers went on without it; only what you see here stood still.',
    remedy: 'Nothing to do: it is being read again.',
  }),
  'ssh-too-many-jumps': (d) => ({
    what: `The way to ${fact(d, 'host', 'the server')} leads through jump hosts in a circle.`,
    cause: 'Two entries of the SSH configuration name each other as ProxyJump.',
    remedy: 'Correct ~/.ssh/config.',
  }),
  'ssh-channel-refused': (d) => ({
    what: `${fact(d, 'host', 'The server')} lets you in but opens no session.`,
    cause: 'Its SSH service allows no more sessions or no commands for this user.',
    remedy: 'Look at MaxSessions and ForceCommand in its sshd_config.',
  }),
  'connection-lost': (d) => ({
    what: `The connection to ${fact(d, 'host', 'the server')} was lost.`,
    cause: 'The network was cut, or the server was stopped.',
    remedy: 'Check that it runs, then try again: what was done already is not done twice.',
  }),
  'connection-closed': () => ({ what: 'The connection was closed.', remedy: 'Try again.' }),
  'timed-out': (d) => ({
    what: `${fact(d, 'host', fact(d, 'node', 'The server'))} took too long to answer.`,
    cause: 'It is overloaded, or its disk does not answer.',
    remedy: 'Open a terminal there and look at its load, then try again.',
  }),
  'login-refused': (d) => ({
    what: `${fact(d, 'host', 'The server')} does not let ${fact(d, 'user', 'this user')} in.`,
    cause: d['tried'] === undefined ? 'User, password or key are wrong.' : `It refused: ${fact(d, 'tried', '')}.`,
    remedy: 'Check the user, then type the password again or choose another key.',
  }),
  'secret-needed': (d) => {
    switch (d['kind']) {
      case 'key-passphrase':
        return { what: `${fact(d, 'file', 'The key')} is encrypted.`, remedy: 'Type its passphrase.' };
      case 'sudo-password':
        return {
          what: `sudo on ${fact(d, 'host', 'the server')} asks for the password of ${fact(d, 'user', 'this user')}.`,
          remedy: 'Type it.',
        };
      default:
        return {
          what: `${fact(d, 'host', 'The server')} asks for the password of ${fact(d, 'user', 'this user')}.`,
          remedy: 'Type it, or choose a key.',
        };
    }
  },
  'identity-missing': (d) => ({
    what: `There is no key ${fact(d, 'file', 'there')}.`,
    remedy: 'Choose the file of the private key.',
  }),
  'host-key-unknown': (d) => ({
    what: `${fact(d, 'host', 'This server')} has not been seen before. Its fingerprint is ${fact(d, 'fingerprint', 'unknown')}.`,
    cause: 'Without a comparison, another machine could stand in its place.',
    remedy: whereToCompare,
  }),
  'host-key-changed': (d) => ({
    what: `The host key of ${fact(d, 'host', 'this server')} has changed: expected ${fact(d, 'expected', 'another one')}, got ${fact(d, 'fingerprint', 'an unknown one')}.`,
    cause: 'The server was installed again, or another machine answers in its place.',
    remedy: whereToCompare,
  }),
  'host-key-revoked': (d) => ({
    what: `The host key of ${fact(d, 'host', 'this server')} is marked as revoked in known_hosts.`,
    cause: 'Somebody declared this key stolen or out of use.',
    remedy: 'Find out why before you go on. Holdfast does not connect to it.',
  }),
  'no-sudo': (d) => ({
    what: `${fact(d, 'user', 'This user')} may not become root on ${fact(d, 'host', 'the server')}.`,
    cause: 'There is no sudo there, or its rules do not name this user.',
    remedy: 'Log in as root, or add the user to the group sudo or wheel.',
  }),
  'sudo-needs-password': (d) => ({
    what: `sudo on ${fact(d, 'host', 'the server')} asks for the password of ${fact(d, 'user', 'this user')}.`,
    remedy: 'Type it.',
  }),
  'sudo-password-wrong': (d) => ({
    what: `sudo on ${fact(d, 'host', 'the server')} does not accept this password of ${fact(d, 'user', 'the user')}.`,
    cause: 'It may differ from the password of the login.',
    remedy: 'Type it again.',
  }),
  'shell-unusable': (d) => ({
    what: `The login shell of ${fact(d, 'user', 'this user')} on ${fact(d, 'host', 'the server')} runs no commands.`,
    cause: 'The account is locked to a menu, to file transfer, or to nologin.',
    remedy: 'Give it a usual shell (chsh -s /bin/bash), or log in as another user.',
  }),
  'not-a-linux-server': (d) => ({
    what: `${fact(d, 'host', 'This machine')} is not a Linux server.`,
    cause:
      d['system'] === undefined ? 'It answers as a switch or another system does.' : `It is ${fact(d, 'system', '')}.`,
    remedy: 'Give the address of a Linux server.',
  }),
  'probe-failed': (d) => ({
    what: `${fact(d, 'host', 'This machine')} does not answer as a Linux server does.`,
    cause: 'Its login shell prints or refuses something unexpected.',
    remedy: 'Open a terminal there and look.',
  }),
  'destination-invalid': () => ({
    what: 'This is not an address that SSH understands.',
    remedy: 'Write user@host, such as root@10.0.0.11, or a name of your SSH configuration.',
  }),
  'subnet-invalid': () => ({ what: 'This is not a subnet.', remedy: 'Write it as 10.0.0.0/24.' }),
  'subnet-too-large': () => ({
    what: 'This subnet is too large for a scan.',
    cause: 'More than 1,022 addresses take too long, and a scan of that size alarms whoever guards the network.',
    remedy: 'Write a /22 or smaller.',
  }),
  'disk-full': (d) => ({
    what: `The disk of ${fact(d, 'host', fact(d, 'node', 'the server'))} is full.`,
    cause:
      d['path'] === undefined ? 'Nothing more can be written there.' : `${fact(d, 'path', '')} could not be written.`,
    remedy: 'Make room there (df -h shows where), then try again.',
  }),
  'copy-failed': (d) => ({
    what: `${fact(d, 'path', 'A file')} could not be written on ${fact(d, 'host', 'the server')}.`,
    cause: 'The file system is read-only, or the directory is protected.',
    remedy: 'Open a terminal there, look at the mount and the rights, then try again.',
  }),
  'copy-damaged': (d) => ({
    what: `${fact(d, 'path', 'A file')} arrived on ${fact(d, 'host', 'the server')} with another content than was sent.`,
    cause: 'The disk or the memory of that server is failing, or something changes the traffic.',
    remedy: 'Try again. If it happens twice, check that server before you trust it with data.',
  }),
  'command-failed': (d) => ({
    what: `A command failed on ${fact(d, 'host', 'the server')}.`,
    cause: d['said'] === undefined ? 'The technical detail says what it printed.' : fact(d, 'said', ''),
    remedy: 'Mend what it names, then try again: what was done already is not done twice.',
  }),
  'command-timed-out': () => ({
    what: 'A command on the server did not end in time.',
    cause: 'The server is overloaded, or its disk does not answer.',
    remedy: 'Open a terminal there and look at its load, then try again.',
  }),
} satisfies FaultWordings;
