import { expect, test } from 'vitest';
import { addAddressCommand, deleteAddressCommand, interfaceFor, parseLinks } from './vip-linux.ts';

const printed = JSON.stringify([
  { ifindex: 1, ifname: 'lo', flags: ['LOOPBACK', 'UP'], addr_info: [{ local: '127.0.0.1', prefixlen: 8 }] },
  {},
  {
    ifindex: 4,
    ifname: 'eth0',
    address: '02:00:00:00:00:01',
    flags: ['UP'],
    addr_info: [
      { family: 'inet', local: '10.0.0.1', prefixlen: 24 },
      { family: 'inet', local: '10.0.0.50', prefixlen: 24 },
    ],
  },
]);
const vip = { address: '10.0.0.50', prefixLength: 24, interface: null };

test('reads what ip prints, empty entries of older versions included', () => {
  expect(parseLinks(printed).map((link) => [link.index, link.name, link.addresses.length])).toEqual([
    [1, 'lo', 1],
    [4, 'eth0', 2],
  ]);
  expect(parseLinks('')).toEqual([]);
});

test('the interface is the named one, or the one with another address of the subnet', () => {
  const links = parseLinks(printed);
  expect(interfaceFor(vip, links)).toBe('eth0');
  expect(interfaceFor({ ...vip, interface: 'bond0' }, links)).toBe('bond0');
  expect(interfaceFor({ ...vip, address: '10.0.1.50' }, links)).toBeNull();
});

test('its own leftover does not make an interface right', () => {
  const links = parseLinks(printed).map((link) => ({
    ...link,
    addresses: link.addresses.filter(({ address }) => address === vip.address),
  }));
  expect(interfaceFor(vip, links)).toBeNull();
});

test('commands', () => {
  expect(addAddressCommand(vip, 'eth0').join(' ')).toBe('ip address add 10.0.0.50/24 dev eth0');
  expect(deleteAddressCommand('10.0.0.50', 24, 'eth0').join(' ')).toBe('ip address del 10.0.0.50/24 dev eth0');
});
