import { expect, test } from 'vitest';
import { announcementFrames, arpFrame, conflictsWith, operationReply, parseArp, probeFrame } from './arp.ts';

const mac = '02:00:00:00:00:01';

test('a frame says what was put into it', () => {
  const packet = {
    operation: operationReply,
    senderMac: mac,
    senderAddress: '10.0.0.1',
    targetMac: '02:00:00:00:00:02',
    targetAddress: '10.0.0.2',
  };
  expect(parseArp(arpFrame(packet))).toEqual(packet);
});

test('a probe claims nothing (RFC 5227: the sender address is zero)', () => {
  expect(parseArp(probeFrame(mac, '10.0.0.50'))).toMatchObject({
    senderAddress: '0.0.0.0',
    targetAddress: '10.0.0.50',
  });
});

test('an announcement is a request and a reply for the own address', () => {
  const packets = announcementFrames(mac, '10.0.0.50').map(parseArp);
  expect(packets.map((packet) => packet?.operation)).toEqual([1, 2]);
  for (const packet of packets)
    expect(packet).toMatchObject({ senderMac: mac, senderAddress: '10.0.0.50', targetAddress: '10.0.0.50' });
});

test('only another machine that speaks for the address is a conflict', () => {
  const [request] = announcementFrames('02:00:00:00:00:02', '10.0.0.50');
  const theirs = parseArp(request!)!;
  expect(conflictsWith(theirs, '10.0.0.50', mac)).toBe(true);
  expect(conflictsWith(theirs, '10.0.0.51', mac)).toBe(false);
  expect(conflictsWith(theirs, '10.0.0.50', '02:00:00:00:00:02')).toBe(false);
});

test('what is not ARP for IPv4 is nothing', () => {
  expect(parseArp(Buffer.alloc(10))).toBeNull();
  const frame = probeFrame(mac, '10.0.0.50');
  frame.writeUInt16BE(0x86dd, 16);
  expect(parseArp(frame)).toBeNull();
});
