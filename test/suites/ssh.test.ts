/** The SSH transport against real sshd: every way to log in, host keys, sudo, odd shells, jumps, losses. */
import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../../agent/contract/fault.ts';
import { environmentSecrets, noSecrets, type SecretSource } from '../../src-main/secrets/index.ts';
import { openTransport, type CopySource, type SshEnvironment, type Transport } from '../../src-main/ssh/index.ts';
import { parseSshConfig } from '../../src-main/ssh/ssh-config.ts';
import { Lab, labObstacle } from '../lab/index.ts';

const obstacle = labObstacle();
const execute = promisify(execFile);
const password = 'secret';

let lab: Lab;
let directory = '';

function file(name: string): string {
  return path.join(directory, name);
}

interface Means {
  readonly user?: string;
  readonly secrets?: SecretSource;
  readonly identity?: string;
  readonly agentSocket?: string;
  readonly accepted?: readonly string[];
  readonly knownHosts?: string;
  readonly jump?: boolean;
  readonly store?: string;
  readonly host?: 'n1' | 'n2';
}

function environmentOf(means: Means): { destination: string; environment: SshEnvironment } {
  const access = lab.summary().hosts.find((host) => host.name === (means.host ?? 'n1'))!;
  const known = means.knownHosts ?? path.join(lab.dir, 'known_hosts');
  const proxy = `ProxyCommand ${access.proxyCommand}`;
  const text = means.jump
    ? `Host target\n  HostName 10.77.0.12\n  ProxyJump root@jump\nHost jump\n  HostName ${access.address}\n  ${proxy}\nHost *\n  UserKnownHostsFile ${known}\n  IdentityFile ${access.identity}\n`
    : `Host target\n  HostName ${access.address}\n  ConnectTimeout 4\n  UserKnownHostsFile ${known}\n  ${proxy}\n  IdentityFile ${means.identity ?? '/nonexistent'}\n`;
  return {
    destination: `${means.user ?? 'root'}@target`,
    environment: {
      config: parseSshConfig(text),
      secrets: means.secrets ?? noSecrets,
      agentSocket: means.agentSocket ?? null,
      hostKeys: { storeFile: means.store ?? file('store'), accepted: means.accepted ?? [], ask: null },
    },
  };
}

function open(means: Means): Promise<Transport> {
  const { destination, environment } = environmentOf(means);
  return openTransport({ destination }, environment);
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const error: unknown = await promise.then(
    () => new Error('nothing was refused'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Fault);
  return error as Fault;
}

async function whoami(means: Means, elevated = false): Promise<string> {
  await using transport = await open(means);
  const result = await transport.command('id -un', { elevated });
  expect(result.code).toBe(0);
  return result.stdout.trim();
}

const byPassword = environmentSecrets({ HOLDFAST_SSH_PASSWORD: password });

function sourceOf(data: Buffer): CopySource {
  const sha256 = (part: Buffer): string => createHash('sha256').update(part).digest('hex');
  return {
    size: data.length,
    sha256: sha256(data),
    prefixSha256: (length) => Promise.resolve(sha256(data.subarray(0, length))),
    async *read(offset) {
      for (let at = offset; at < data.length; at += 65_536) yield data.subarray(at, at + 65_536);
    },
  };
}

describe('ssh', () => {
  beforeEach((context) => {
    if (obstacle !== undefined) context.skip(obstacle.reason);
  });
  beforeAll(async () => {
    if (obstacle !== undefined) return;
    directory = mkdtempSync(path.join(tmpdir(), 'holdfast-ssh-'));
    lab = await Lab.up({ name: 'ssh', nodes: 2 });
    await execute('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'phrase', '-f', file('encrypted')]);
    const host = lab.host('n1');
    await host.writeFile('/tmp/key.pub', readFileSync(file('encrypted.pub')));
    await host.writeFile(
      '/usr/local/bin/noisy',
      '#!/bin/sh\necho "Welcome to $(hostname)"; echo careful >&2\nexec /bin/sh "$@"\n',
      '755',
    );
    await host.must(`useradd -m plain && echo plain:${password} | chpasswd
      useradd -m -s /usr/local/bin/noisy noisy && echo noisy:${password} | chpasswd
      useradd -m -s /usr/sbin/nologin closed && echo closed:${password} | chpasswd
      useradd -m asked && echo asked:${password} | chpasswd
      echo 'plain ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/plain
      echo 'noisy ALL=(ALL) ALL' > /etc/sudoers.d/noisy
      install -d -m 700 -o plain -g plain /home/plain/.ssh
      install -m 600 -o plain -g plain /tmp/key.pub /home/plain/.ssh/authorized_keys
      printf 'Match User asked\\n  PasswordAuthentication no\\n  KbdInteractiveAuthentication yes\\n' >> /etc/ssh/sshd_config
      systemctl reload ssh`);
  });
  afterAll(async () => {
    if (obstacle !== undefined) return;
    rmSync(directory, { recursive: true, force: true });
    await lab.down();
  });

  describe('logs in', () => {
    it('by password', async () => {
      expect(await whoami({ user: 'plain', secrets: byPassword })).toBe('plain');
    });
    it('by the questions of the server', async () => {
      expect(await whoami({ user: 'asked', secrets: byPassword })).toBe('asked');
    });
    it('by key', async () => {
      expect(await whoami({ identity: lab.identityPath })).toBe('root');
    });
    it('by an encrypted key, with the right passphrase only', async () => {
      const phrase = (secret: string): SecretSource => environmentSecrets({ HOLDFAST_KEY_PASSPHRASE: secret });
      const means = { user: 'plain', identity: file('encrypted') };
      expect(await whoami({ ...means, secrets: phrase('phrase') })).toBe('plain');
      expect((await faultOf(open({ ...means, secrets: phrase('other') }))).code).toBe('login-refused');
    });
    it('by an agent', async () => {
      const socket = file('agent.sock');
      const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
      try {
        await once(agent.stdout, 'data');
        await execute('ssh-add', ['-q', lab.identityPath], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
        expect(await whoami({ agentSocket: socket })).toBe('root');
      } finally {
        agent.kill();
      }
    });
    it('through a jump host', async () => {
      await using transport = await open({ jump: true });
      expect((await transport.command('hostname')).stdout).toBe('n2\n');
    });
    it('and not with a wrong password, which nobody gets to see', async () => {
      const fault = await faultOf(
        open({ user: 'plain', secrets: environmentSecrets({ HOLDFAST_SSH_PASSWORD: 'Sesame' }) }),
      );
      expect(fault.code).toBe('login-refused');
      expect(JSON.stringify(fault.toRecord()) + String(fault.stack)).not.toContain('Sesame');
    });
  });

  describe('host keys', () => {
    it('that are unknown are refused with their fingerprint, and pinned once accepted', async () => {
      const means = { identity: lab.identityPath, knownHosts: '/nonexistent', store: file('pinned') };
      const fault = await faultOf(open(means));
      expect(fault.code).toBe('host-key-unknown');
      const fingerprint = String(fault.details['fingerprint']);
      const shown = await lab.host('n1').must('ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub');
      expect(shown).toContain(fingerprint);
      expect(await whoami({ ...means, accepted: [fingerprint] })).toBe('root');
      expect(await whoami(means)).toBe('root');
    });

    it('that have changed are refused with both fingerprints, until the new one is accepted by name', async () => {
      const store = file('changed');
      const other = await lab.host('n2').must('cat /etc/ssh/ssh_host_ed25519_key.pub');
      writeFileSync(store, `10.77.0.11 ${other.split(' ').slice(0, 2).join(' ')}\n`);
      const means = { identity: lab.identityPath, knownHosts: '/nonexistent', store };
      const fault = await faultOf(open(means));
      expect(fault.code).toBe('host-key-changed');
      const expected = String((fault.details['expected'] as string[])[0]);
      expect(fault.message).toContain(expected);
      expect(fault.message).toContain(String(fault.details['fingerprint']));
      expect(await whoami({ ...means, accepted: [String(fault.details['fingerprint'])] })).toBe('root');
      expect(await whoami(means)).toBe('root');
    });
  });

  describe('becomes root', () => {
    it('with NOPASSWD, and keeps what was meant for the script out of sudo', async () => {
      await using transport = await open({ user: 'plain', secrets: byPassword });
      const result = await transport.command('id -un; cat', { elevated: true, input: 'line 1\nline 2\n' });
      expect(result.stdout).toBe('root\nline 1\nline 2\n');
    });
    it('with a password, which no process list shows', async () => {
      await using transport = await open({ user: 'admin', secrets: byPassword });
      const result = await transport.command("id -un; cat; tr '\\0' ' ' < /proc/$PPID/cmdline", {
        elevated: true,
        input: 'x\n',
      });
      expect(result.stdout.startsWith('root\nx\n')).toBe(true);
      expect(result.stdout).not.toContain(password);
    });
    it('not with a wrong password', async () => {
      const secrets = environmentSecrets({ HOLDFAST_SSH_PASSWORD: password, HOLDFAST_SUDO_PASSWORD: 'wrong' });
      await using transport = await open({ user: 'admin', secrets });
      expect((await faultOf(transport.command('true', { elevated: true }))).code).toBe('sudo-password-wrong');
    });
    it('not without the right to', async () => {
      await using transport = await open({ user: 'operator', secrets: byPassword });
      expect((await faultOf(transport.command('true', { elevated: true }))).code).toBe('no-sudo');
    });
    it('not where there is no sudo', async () => {
      await lab.host('n2').must('mv /usr/bin/sudo /usr/bin/sudo.away');
      await using transport = await open({ user: 'admin', secrets: byPassword, host: 'n2' });
      const fault = await faultOf(transport.command('true', { elevated: true }));
      await lab.host('n2').must('mv /usr/bin/sudo.away /usr/bin/sudo');
      expect(fault.code).toBe('no-sudo');
      expect(fault.message).toContain('there is no sudo');
    });
  });

  describe('commands', () => {
    it('are not mixed with what the login shell prints', async () => {
      await using transport = await open({ user: 'noisy', secrets: byPassword });
      for (const elevated of [false, true]) {
        const result = await transport.command("echo out; echo 'a!b\"c\\d' >&2; exit 7", { elevated });
        expect(result).toEqual({ code: 7, stdout: 'out\n', stderr: 'a!b"c\\d\n' });
      }
    });
    it('tell their exit also when all of their answer arrives in one piece', async () => {
      await using transport = await open({ identity: lab.identityPath });
      for (let round = 0; round < 40; round += 1) {
        const pending = transport.command('exit 3', { elevated: true });
        const blockAtMs = performance.now() + round / 4;
        while (performance.now() < blockAtMs) await new Promise((resolve) => setImmediate(resolve));
        // A laptop that is busy reads everything at once.
        const untilMs = performance.now() + 40;
        while (performance.now() < untilMs);
        expect(await pending).toEqual({ code: 3, stdout: '', stderr: '' });
      }
    });
    it('need a login shell that runs any', async () => {
      await using transport = await open({ user: 'closed', secrets: byPassword });
      expect((await faultOf(transport.command('true'))).code).toBe('shell-unusable');
    });
    it('take large input and give large output', async () => {
      await using transport = await open({ identity: lab.identityPath });
      const input = randomBytes(3_000_000);
      const result = await transport.command('sha256sum | cut -c 1-64; head -c 2000000 /dev/zero', { input });
      expect(result.stdout.slice(0, 64)).toBe(createHash('sha256').update(input).digest('hex'));
      expect(result.stdout).toHaveLength(65 + 2_000_000);
    });
    it('end in time, by limit and by signal', async () => {
      await using transport = await open({ identity: lab.identityPath });
      expect((await faultOf(transport.command('sleep 60', { timeoutMs: 500 }))).code).toBe('timed-out');
      const controller = new AbortController();
      const running = transport.command('sleep 60', { signal: controller.signal });
      setTimeout(() => controller.abort(new Fault('aborted', { message: 'enough' })), 200);
      expect((await faultOf(running)).code).toBe('aborted');
      expect((await transport.command('echo still here')).stdout).toBe('still here\n');
    });
  });

  describe('copies', () => {
    it('go on where they were interrupted, and only with the same content', async () => {
      await using transport = await open({ identity: lab.identityPath });
      const data = randomBytes(4_000_000);
      const source = sourceOf(data);
      const part = `/tmp/copy.${source.sha256.slice(0, 12)}.part`;
      await transport.command(`cat > ${part}`, { input: data.subarray(0, 1_500_000) });
      const seen: number[] = [];
      await transport.copy(source, '/tmp/copy', { onProgress: (done) => seen.push(done) });
      expect(seen[0]).toBe(1_500_000);
      expect(seen.at(-1)).toBe(4_000_000);

      // A session that was cut off lives on at the server, and writes.
      const cut = sourceOf(randomBytes(4_000_000));
      const cutPart = `/tmp/copy.${cut.sha256.slice(0, 12)}.part`;
      const former = transport.command(
        `exec 3>>${cutPart}; touch /tmp/writes; for i in $(seq 1 200); do echo more >&3; sleep 0.02; done; rm /tmp/writes`,
      );
      await transport.command('until [ -e /tmp/writes ]; do sleep 0.01; done');
      await transport.copy(cut, '/tmp/copy', {});
      const copied = await transport.command('sha256sum /tmp/copy; ls /tmp/writes');
      expect(copied.stdout).toBe(`${cut.sha256}  /tmp/copy\n/tmp/writes\n`);
      await former;

      const other = sourceOf(randomBytes(2_000_000));
      await transport.command(`cat > /tmp/copy.${other.sha256.slice(0, 12)}.part`, { input: randomBytes(1_000_000) });
      const started: number[] = [];
      await transport.copy(other, '/tmp/copy', { onProgress: (done) => started.push(done) });
      expect(started[0]).toBe(0);
      const { stdout } = await transport.command('sha256sum /tmp/copy; ls /tmp/copy*');
      expect(stdout).toBe(`${other.sha256}  /tmp/copy\n/tmp/copy\n`);
    });
  });

  it('notices that a host is gone, and says so to whoever waits', async () => {
    const transport = await open({ identity: lab.identityPath, host: 'n2' });
    const running = transport.command('sleep 60');
    await lab.host('n2').poweroff();
    expect((await faultOf(running)).code).toBe('connection-lost');
    expect((await faultOf(transport.command('true'))).code).toBe('connection-lost');
    const fault = await faultOf(open({ identity: lab.identityPath, host: 'n2' }));
    expect(fault.code).toBe('ssh-unreachable');
    await lab.host('n2').start();
  });
});
