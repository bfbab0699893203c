import { expect, test } from 'vitest';
import { encodeEchoRequest, parseEchoReply } from './echo.ts';

const token = Buffer.from('0123456789abcdef');

/** As whoever is pinged sends it back: 20 bytes of IP header, then the message with another type. */
function answered(request: Buffer, change: (message: Buffer) => void = () => undefined): Buffer {
  const message = Buffer.from(request);
  message[0] = 0;
  change(message);
  return Buffer.concat([Buffer.from([0x45, ...new Array<number>(19).fill(0)]), message]);
}

test('a request is what RFC 792 says, with a checksum that sums up to nothing', () => {
  const request = encodeEchoRequest({ identifier: 0x1234, sequence: 7, token });
  expect(request.subarray(0, 2).toString('hex')).toBe('0800');
  expect(request.subarray(4, 8).toString('hex')).toBe('12340007');
  let sum = 0;
  for (let at = 0; at < request.length; at += 2) sum += request.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  expect(sum).toBe(0xffff);
});

test('its answer is read, whatever the length of the IP header', () => {
  const request = encodeEchoRequest({ identifier: 1, sequence: 2, token });
  expect(parseEchoReply(answered(request))).toEqual({ identifier: 1, sequence: 2, token });
  const withOptions = answered(request);
  const longer = Buffer.concat([withOptions.subarray(0, 20), Buffer.alloc(4), withOptions.subarray(20)]);
  longer[0] = 0x46;
  expect(parseEchoReply(longer)).toEqual({ identifier: 1, sequence: 2, token });
});

test('requests of others, errors and crippled packets are nothing', () => {
  const request = encodeEchoRequest({ identifier: 1, sequence: 2, token });
  expect(parseEchoReply(answered(request, (message) => (message[0] = 8)))).toBeNull();
  expect(parseEchoReply(answered(request, (message) => (message[0] = 3)))).toBeNull();
  expect(parseEchoReply(answered(request).subarray(0, 40))).toBeNull();
  expect(parseEchoReply(Buffer.alloc(0))).toBeNull();
});
