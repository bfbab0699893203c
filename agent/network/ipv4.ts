/** IPv4 addresses as the numbers that they are. */

export function ipv4Bytes(address: string): Buffer {
  const parts = address.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255))
    throw new RangeError(`not an IPv4 address: ${address}`);
  return Buffer.from(parts);
}

export function ipv4Text(bytes: Uint8Array): string {
  return [...bytes.subarray(0, 4)].join('.');
}

export function inSubnet(address: string, network: string, prefixLength: number): boolean {
  if (prefixLength === 0) return true;
  const shift = 32 - prefixLength;
  return ipv4Bytes(address).readUInt32BE(0) >>> shift === ipv4Bytes(network).readUInt32BE(0) >>> shift;
}
