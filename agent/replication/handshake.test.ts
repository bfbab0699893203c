import { expect, it } from 'vitest';
import { Fault, protocolVersion } from '../contract/index.ts';
import {
  decodeHandshake,
  encodeHandshake,
  handshakeHeaderBytes,
  handshakeLength,
  readySchema,
  welcomeSchema,
} from './handshake.ts';

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'none';
  } catch (error) {
    return error instanceof Fault ? error.code : String(error);
  }
}

const welcome = (major: number, minor: number, more: object = {}): Buffer =>
  Buffer.from(JSON.stringify({ say: 'welcome', major, minor, programVersion: '9.9.9', node: 'n2', ...more }));
const { major, minor } = protocolVersion;

it.each<[string, Buffer, string]>([
  [
    'another major version, whatever else it says',
    welcome(major + 1, 0, { record: 'of another kind' }),
    'version-skew',
  ],
  ['two minor versions ahead', welcome(major, minor + 2), 'version-skew'],
  [
    'one minor version ahead that says something unknown',
    welcome(major, minor + 1, { record: 7 }),
    'peer-speaks-garbage',
  ],
  ['no JSON', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'peer-speaks-garbage'],
  ['JSON of somebody else', Buffer.from('{"hello":"world"}'), 'peer-speaks-garbage'],
  ['nothing', Buffer.alloc(0), 'peer-speaks-garbage'],
])('refuses %s', (_name, body, code) => {
  expect(codeOf(() => decodeHandshake(welcomeSchema, body, '10.0.0.2:7411'))).toBe(code);
});

it('names the version of the other side, and what brings both together', () => {
  expect(() => decodeHandshake(welcomeSchema, welcome(major + 1, 3), 'n2')).toThrow(
    `n2 runs Holdfast 9.9.9 (protocol ${major + 1}.3)`,
  );
});

it('reads no more than a handshake can be, and only from whom speaks it', () => {
  const said = encodeHandshake({ say: 'ready' });
  const length = handshakeLength(said.subarray(0, handshakeHeaderBytes), 'n2');
  expect(
    decodeHandshake(readySchema, said.subarray(handshakeHeaderBytes, handshakeHeaderBytes + length), 'n2'),
  ).toEqual({
    say: 'ready',
  });
  const huge = Buffer.from(said);
  huge.writeUInt32LE(200_000_000, handshakeHeaderBytes - 4);
  expect(codeOf(() => handshakeLength(huge, 'n2'))).toBe('peer-speaks-garbage');
  const stranger = Buffer.from(said);
  stranger.write('SSH-2.0-');
  expect(codeOf(() => handshakeLength(stranger, 'n2'))).toBe('peer-speaks-garbage');
});
