import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import {
  checkHostKey,
  fingerprint,
  knownHostsLine,
  knownKeyTypes,
  knownName,
  parseKnownHosts,
  withoutHost,
} from './known-hosts.ts';

function key(type: string, content: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.from(content)]);
}
const first = key('ssh-ed25519', 'first');
const second = key('ssh-ed25519', 'second');
const rsa = key('ssh-rsa', 'rsa');

function hashed(name: string): string {
  const salt = Buffer.from('0123456789abcdefghij');
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

const text = [
  '# comment',
  knownHostsLine('n1,10.0.0.11', first).trim(),
  knownHostsLine(hashed('n2'), first).trim(),
  knownHostsLine('[n3]:2222', rsa).trim(),
  `@revoked * ${second.toString('base64').length > 0 ? knownHostsLine('x', second).split(' ').slice(1).join(' ') : ''}`,
].join('\n');

it('tells known, unknown, changed and revoked keys apart', () => {
  const entries = parseKnownHosts(text);
  expect(checkHostKey(entries, ['n1'], first)).toEqual({ kind: 'known' });
  expect(checkHostKey(entries, ['n2'], first)).toEqual({ kind: 'known' });
  expect(checkHostKey(entries, ['n1'], second)).toEqual({ kind: 'revoked' });
  expect(checkHostKey(entries, ['n1'], rsa)).toEqual({ kind: 'changed', expected: [fingerprint(first)] });
  expect(checkHostKey(entries, [knownName('n3', 2222)], rsa)).toEqual({ kind: 'known' });
  expect(checkHostKey(entries, [knownName('n3', 22)], rsa)).toEqual({ kind: 'unknown' });
  expect(knownKeyTypes(entries, ['[n3]:2222'])).toEqual(['ssh-rsa']);
});

it('takes a host out of the text without touching the others', () => {
  const rest = parseKnownHosts(withoutHost(text, 'n1'));
  expect(checkHostKey(rest, ['n1'], first)).toEqual({ kind: 'unknown' });
  expect(checkHostKey(rest, ['n2'], first)).toEqual({ kind: 'known' });
});
