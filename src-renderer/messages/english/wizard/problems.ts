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
