/** What is wrong with an answer, beside its field; by the code of the broken rule. */
import { listed, type ProblemWordings } from '../../wizard-words.ts';

export const problems = {
  'name-invalid': () => ({
    what: 'This is no name that Holdfast can use.',
    remedy: 'Use lower-case letters, digits and hyphens, at most 32, with a letter or digit at both ends.',
  }),
  'name-repeated': (f) => ({ what: `${listed(f, 'name')} is used twice.`, remedy: 'Give each its own name.' }),
  'destination-invalid': () => ({ what: 'This is no address.', remedy: 'Write user@host, such as root@10.0.0.11.' }),
  'machine-repeated': (f) => ({
    what: `${listed(f, 'machine')} stands here a second time.`,
    remedy: 'The two servers and the witness are three different machines.',
  }),
  'port-invalid': () => ({ what: 'This is no port.', remedy: 'Write a number from 1 to 65535; SSH is usually 22.' }),
  'path-not-absolute': () => ({
    what: 'This is no full path.',
    remedy: 'Begin with / and leave out the slash at the end, such as /var/lib/app.',
  }),
  'path-not-plain': () => ({ what: 'This path takes detours.', remedy: 'Write it without //, /./ and /../ in it.' }),
  'path-of-system': (f) => ({
    what: `${listed(f, 'path')} belongs to the system and cannot be replicated.`,
    remedy: 'Name the directory that holds the data of the application.',
  }),
  'path-repeated': () => ({ what: 'This directory stands here twice.', remedy: 'Remove one of the two.' }),
  'paths-nested': (f) => ({
    what: `${listed(f, 'path')} and ${listed(f, 'other')} lie in one another.`,
    remedy: 'Keep the outer one only, or two that are apart.',
  }),
  'address-invalid': () => ({
    what: 'This is no address with its prefix length.',
    remedy: 'Write it as 10.0.0.50/24.',
  }),
  'address-repeated': () => ({
    what: 'This address stands here twice.',
    remedy: 'Each virtual IP belongs to one module.',
  }),
  'address-of-node': (f) => ({
    what: `${listed(f, 'address')} is the address of one of the servers.`,
    remedy: 'Choose a free one: the virtual IP moves between them.',
  }),
  'ping-witness-invalid': () => ({ what: 'This is no address.', remedy: 'Write it as 10.0.0.1.' }),
  'ping-witness-is-node': (f) => ({
    what: `${listed(f, 'address')} is ${listed(f, 'name')} itself: a server always answers its own pings.`,
    remedy: 'Name what neither server is and both reach: the router of the network of the clients.',
  }),
  'ping-witness-is-vip': (f) => ({
    what: `${listed(f, 'address')} is the virtual IP: whoever has it answers itself.`,
    remedy: 'Name what neither server is and both reach: the router of the network of the clients.',
  }),
  'ping-witness-is-nobody': (f) => ({
    what: `${listed(f, 'address')} is the address of no other machine.`,
    remedy: 'Name what neither server is and both reach: the router of the network of the clients.',
  }),
  'subnet-invalid': () => ({ what: 'This is no subnet.', remedy: 'Write it as 10.0.0.0/24.' }),
  'networks-overlap': (f) => ({
    what: `${listed(f, 'subnet')} overlaps ${listed(f, 'other')}.`,
    remedy: 'The same network twice protects nobody: name two different ones.',
  }),
  'dependency-unknown': (f) => ({
    what: `No module is named ${listed(f, 'other')}.`,
    remedy: 'Name another module of this file.',
  }),
  'dependency-cycle': (f) => ({
    what: `${listed(f, 'name')} would wait for itself: ${listed(f, 'way')}.`,
    remedy: 'Take one of these dependencies away.',
  }),
  'node-unknown': (f) => ({ what: `No server is named ${listed(f, 'name')}.`, remedy: 'Choose one of the two.' }),
  'failback-without-prefer': () => ({
    what: 'Returning by itself needs a preferred server.',
    remedy: 'Choose one, or let it stay.',
  }),
  'checker-address': (f) => ({
    what: 'This is not an address that can be looked at.',
    remedy: `Write such as ${listed(f, 'example')}: an address and no name, or the checker would fail with the name server.`,
  }),
  'checker-port': () => ({
    what: 'This is neither a port nor an address with a port.',
    remedy: 'Write 5432 or 10.0.0.50:5432: an address and no name, or the checker would fail with the name server.',
  }),
  'checker-ping': () => ({ what: 'This is no IPv4 address.', remedy: 'Write it as 10.0.0.1.' }),
  'checker-service': () => ({
    what: 'This is no name of a systemd unit.',
    remedy: 'Write it as systemctl shows it, such as app.service.',
  }),
  'checker-status': () => ({ what: 'This is no status.', remedy: 'Write one from 100 to 599, or nothing.' }),
  'checker-failures': () => ({ what: 'This number does not work.', remedy: 'Write one from 1 to 100.' }),
  'checker-percent': () => ({
    what: 'This is no share of a disk.',
    remedy: 'Write a number from 0 to 99, or nothing.',
  }),
  'checker-latency': () => ({
    what: 'This is no time in milliseconds.',
    remedy: 'Write a number from 1 to 600000, or nothing.',
  }),
  'checker-script': () => ({
    what: 'This is meant for a shell; a checker starts its program without one.',
    remedy: 'Write a program and its arguments; put what needs a shell into a file and name the file.',
  }),
  'checker-domain': () => ({
    what: 'This is neither a name of libvirt nor an absolute path.',
    remedy: 'Write the name that virsh list --all shows, or the socket of the monitor, such as /run/vm/qmp.sock.',
  }),
  'checker-socket': () => ({
    what: 'This is no path of a socket.',
    remedy: 'Write an absolute path of at most 107 bytes, such as /run/vm/qmp.sock.',
  }),
  'checker-vm-agent': () => ({ what: 'Libvirt finds the guest agent itself.', remedy: 'Leave this empty.' }),
  'checker-sockets-equal': () => ({
    what: 'The monitor and the guest agent have a socket each.',
    remedy: 'Write the socket of the guest agent, or leave this empty.',
  }),
  'checker-socket-replicated': (f) => ({
    what: `A socket in ${listed(f, 'path')} cannot be reached while the replication waits.`,
    remedy: 'Let QEMU make its sockets below /run.',
  }),
  'checker-disk': () => ({
    what: 'This checker of a disk asks for nothing.',
    remedy: 'Give the least free space, the longest time for a write, or both.',
  }),
  'checker-interval': (f) => ({
    what: 'This interval does not work.',
    remedy: `Write a time from ${listed(f, 'least')} to ${listed(f, 'most')}.`,
  }),
  'checker-timeout': (f) => ({
    what: 'Nothing answers reliably in so short a time.',
    remedy: `Write at least ${listed(f, 'least')}.`,
  }),
  'checker-timeout-beyond-interval': (f) => ({
    what: `A look may take ${listed(f, 'timeout')}, and the next one is due after ${listed(f, 'interval')}.`,
    remedy: 'Write a shorter time for the answer, or a longer interval.',
  }),
  'checker-limit': (f) => ({
    what: `The limit of restarts could never be reached: ${listed(f, 'sum')}, not less than ${listed(f, 'within')}.`,
    remedy: 'Write fewer failures or a shorter interval.',
  }),
  'checker-repeated': () => ({ what: 'This checker stands here twice.', remedy: 'Remove one of the two.' }),
  'checker-covered': (f) => ({
    what: `${listed(f, 'path')} is covered on the server that does not run the application: there this checker could never be good.`,
    remedy: 'Choose another action.',
  }),
  'detection-out-of-range': () => ({ what: 'This time does not work.', remedy: 'Choose one from 1 s to 60 s.' }),
  'duration-invalid': () => ({ what: 'This is no time.', remedy: 'Write a number of seconds.' }),
  missing: () => ({ what: 'This is not answered yet.', remedy: 'Answer it.' }),
  'text-unusable': () => ({
    what: 'There are characters in it that cannot be seen.',
    remedy: 'Type it by hand instead of pasting it.',
  }),
  'timeout-out-of-range': (f) => ({
    what: 'This time does not work.',
    remedy: `Write a number of seconds from ${listed(f, 'least')} to ${listed(f, 'most')}.`,
  }),
  'address-unusable': (f) => ({
    what: `${listed(f, 'address')} is not the address of one machine.`,
    remedy: 'Choose a free address between the first and the last one of the network.',
  }),
  'address-not-in-network': (f) => ({
    what: `${listed(f, 'node')} has no interface in the network of ${listed(f, 'address')}.`,
    remedy: 'Choose an address of a network that both servers are in.',
  }),
  'interface-unknown': (f) => ({
    what: `${listed(f, 'node')} has no interface ${listed(f, 'interface')} with an IPv4 address.`,
    remedy: `Choose one of: ${listed(f, 'interfaces')}.`,
  }),
  'network-without-node': (f) => ({
    what: `${listed(f, 'node')} has no address in ${listed(f, 'subnet')}.`,
    remedy: 'Choose a network that both servers are in, or give the server an address there.',
  }),
  'value-invalid': () => ({ what: 'This cannot be used.', remedy: 'Correct it.' }),
} satisfies ProblemWordings;
