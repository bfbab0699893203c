import { createHmac, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Fault } from '../../agent/contract/fault.ts';
import { parseSshConfig } from '../ssh/ssh-config.ts';
import { readConfigFile } from '../ssh/index.ts';
import { discoverServers, serversOfConfig, serversOfKnownHosts } from './discover.ts';
import { findIdentities } from './identities.ts';
import { nameOfBanner, scanSubnet } from './scan.ts';
import { hostAddresses, ownSubnets, parseSubnet } from './subnet.ts';

function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'holdfast-discovery-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return Fault.from(error).code;
  }
  return 'none';
}

describe('servers that this laptop has heard of', () => {
  it('of the SSH configuration: names, no patterns, each server once, also of included files', () => {
    const directory = temporaryDirectory();
    mkdirSync(path.join(directory, 'conf.d'));
    writeFileSync(
      path.join(directory, 'config'),
      'Include conf.d/*\nHost db\n  HostName 10.0.0.11\nHost *.lan !x\nHost *\n',
    );
    writeFileSync(
      path.join(directory, 'conf.d', 'site'),
      'Host web1 web1.example.com\n  HostName 10.0.0.21\nHost gh\n  HostName github.com\nHost same\n  HostName 10.0.0.11\n  Port 2222\n',
    );
    const found = serversOfConfig(readConfigFile(path.join(directory, 'config')), 'ssh-config');
    expect(found.map(({ destination }) => destination)).toEqual(['web1', 'same', 'db']);
    expect(found[0]).toEqual({ destination: 'web1', port: null, name: 'web1', source: 'ssh-config', answers: null });
  });

  it('of known_hosts: readable names only', () => {
    const text = [
      'n1,10.0.0.11 ssh-ed25519 AAAA',
      'n1,10.0.0.11 ssh-rsa AAAA',
      '[10.0.0.12]:2222 ssh-ed25519 AAAA',
      '|1|c2FsdA==|aGFzaA== ssh-ed25519 AAAA',
      '@cert-authority *.example.com ssh-rsa AAAA',
      '@revoked old ssh-rsa AAAA',
      '*.lan ssh-rsa AAAA',
      'github.com ssh-ed25519 AAAA',
      'broken',
      '',
    ].join('\n');
    expect(serversOfKnownHosts(text).map(({ destination, port }) => [destination, port])).toEqual([
      ['n1', null],
      ['10.0.0.12', 2222],
    ]);
  });

  it('a server that stands in several places is said once, as somebody wrote it down', async () => {
    const directory = temporaryDirectory();
    const file = path.join(directory, 'known_hosts');
    writeFileSync(file, '10.0.0.11 ssh-ed25519 AAAA\n10.0.0.12 ssh-ed25519 AAAA\n');
    const found = await discoverServers({
      labConfig: parseSshConfig('Host n1 10.77.0.11\n  HostName 10.77.0.11\n'),
      userConfig: parseSshConfig('Host db\n  HostName 10.0.0.11\n'),
      knownHostsFiles: [file, path.join(directory, 'absent')],
    });
    expect(found.map(({ name, source }) => `${source} ${name}`)).toEqual([
      'lab n1',
      'ssh-config db',
      'known-hosts 10.0.0.12',
    ]);
  });

  it('ten thousand lines are read in 50 ms', async () => {
    const hash = (name: string): string => {
      const salt = randomBytes(20);
      return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
    };
    const key = randomBytes(51).toString('base64');
    const lines = Array.from({ length: 10_000 }, (_, index) => {
      const name = `10.${index >> 8}.${index & 255}.1`;
      return `${index % 2 === 0 ? hash(name) : `${name},host${index}`} ssh-ed25519 ${key}`;
    });
    const file = path.join(temporaryDirectory(), 'known_hosts');
    writeFileSync(file, lines.join('\n'));
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const beganAtMs = performance.now();
      const found = await discoverServers({ labConfig: [], userConfig: [], knownHostsFiles: [file] });
      times.push(performance.now() - beganAtMs);
      expect(found).toHaveLength(5000);
    }
    // The machine that runs this may do other things meanwhile.
    expect(Math.min(...times)).toBeLessThan(50);
  });
});

describe('subnets', () => {
  it('as people write them', () => {
    expect(hostAddresses(parseSubnet('10.0.0.0/30'))).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(hostAddresses(parseSubnet(' 192.168.1.77/24 '))).toHaveLength(254);
    expect(hostAddresses(parseSubnet('10.0.3.255/22')).at(-1)).toBe('10.0.3.254');
    expect(hostAddresses(parseSubnet('10.0.0.5'))).toEqual(['10.0.0.5']);
    expect(hostAddresses(parseSubnet('10.0.0.4/31'))).toEqual(['10.0.0.4', '10.0.0.5']);
  });

  it.each(['', 'lan', '10.0.0/24', '10.0.0.256/24', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/24/24', 'fe80::/64'])(
    'not %j',
    (text) => {
      expect(codeOf(() => parseSubnet(text))).toBe('subnet-invalid');
    },
  );

  it('not larger than a /22', () => {
    expect(codeOf(() => parseSubnet('10.0.0.0/21'))).toBe('subnet-too-large');
    expect(codeOf(() => parseSubnet('0.0.0.0/0'))).toBe('subnet-too-large');
  });

  it('of this laptop: those that may hold servers', () => {
    const address = (text: string, length: number, internal = false) => ({
      address: text,
      netmask: '',
      family: 'IPv4' as const,
      mac: '',
      internal,
      cidr: `${text}/${length}`,
    });
    const subnets = ownSubnets({
      lo: [address('127.0.0.1', 8, true)],
      eth0: [address('10.1.2.3', 24), address('10.1.2.4', 24)],
      wlan0: [address('172.20.5.6', 16)],
      usb0: [address('169.254.1.1', 16)],
      docker0: [address('172.17.0.1', 16)],
      ppp0: [address('100.64.0.1', 32)],
    });
    expect(subnets).toEqual(['10.1.2.0/24', '172.20.4.0/22']);
  });
});

async function listen(host: string, port: number, greet: string | null): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (greet !== null) socket.write(greet);
  });
  onTestFinished(() => {
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

describe('a scan', () => {
  it('reads who it is from the banner', () => {
    expect(nameOfBanner('SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n')).toBe('OpenSSH 9.2p1 Debian');
    expect(nameOfBanner('Authorised use only\r\nSSH-2.0-dropbear_2022.83\r\n')).toBe('dropbear 2022.83');
    expect(nameOfBanner('HTTP/1.1 400 Bad Request\r\n')).toBeNull();
  });

  it('finds who speaks SSH, and tells it as it comes', async (context) => {
    if (process.platform !== 'linux') context.skip('needs all of 127.0.0.0/8, as Linux has it');
    const { port } = await listen('127.77.0.2', 0, 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n');
    await listen('127.77.0.3', port, 'HTTP/1.1 200\r\n');
    await listen('127.77.0.4', port, null);
    await listen('127.77.0.6', port, 'Welcome\r\nSSH-2.0-OpenSSH_for_Windows_9.5\r\n');
    const told: string[] = [];
    const found = await scanSubnet('127.77.0.0/29', { port, onFound: ({ destination }) => told.push(destination) });
    expect(found.map(({ destination, name, answers }) => [destination, name, answers])).toEqual([
      ['127.77.0.2', 'OpenSSH 9.2p1 Debian', true],
      ['127.77.0.6', 'OpenSSH for Windows 9.5', true],
    ]);
    expect(told.toSorted()).toEqual(['127.77.0.2', '127.77.0.6']);
  });

  it('ends when nobody wants it any more', async (context) => {
    if (process.platform !== 'linux') context.skip('needs all of 127.0.0.0/8, as Linux has it');
    const controller = new AbortController();
    const { port } = await listen('127.77.1.2', 0, null);
    const scanning = scanSubnet('127.77.1.0/28', { port, signal: controller.signal });
    controller.abort(new Fault('aborted', { message: 'enough' }));
    await expect(scanning).rejects.toThrow('enough');
  });
});

it('identities: files that begin like a private key, the usual ones first', async () => {
  const directory = temporaryDirectory();
  const file = (name: string, text: string): void => writeFileSync(path.join(directory, name), text);
  file('customer', '-----BEGIN OPENSSH PRIVATE KEY-----\nx');
  file('id_rsa', '-----BEGIN RSA PRIVATE KEY-----\nx');
  file('id_ed25519', '-----BEGIN OPENSSH PRIVATE KEY-----\nx');
  file('id_ed25519.pub', 'ssh-ed25519 AAAA');
  file('putty.ppk', 'PuTTY-User-Key-File-3: ssh-ed25519\n');
  file('known_hosts', 'n1 ssh-ed25519 AAAA');
  file('empty', '');
  mkdirSync(path.join(directory, 'conf.d'));
  const names = (await findIdentities(directory)).map((found) => path.basename(found));
  expect(names).toEqual(['id_ed25519', 'id_rsa', 'customer', 'putty.ppk']);
  expect(await findIdentities(path.join(directory, 'absent'))).toEqual([]);
});
