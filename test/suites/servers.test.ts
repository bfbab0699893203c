/** Getting into servers that do not make it easy, as the app does it: nobody is asked, and what is missing says so. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Fault } from '../../agent/contract/fault.ts';
import type { FoundServer, Machine, ServerFacts, ServerHandlers } from '../../src-main/app-api/index.ts';
import { createSecretStore, environmentSecrets, type SecretRequest } from '../../src-main/secrets/index.ts';
import {
  createServerAccess,
  createServersPart,
  fileLoginMemory,
  type ServerAccess,
  type ServerAccessOptions,
} from '../../src-main/servers/index.ts';
import { parseSshConfig } from '../../src-main/ssh/ssh-config.ts';
import { Lab, labObstacle, nodeCommand, repositoryRoot } from '../lab/index.ts';

const obstacle = labObstacle();
const execute = promisify(execFile);
const password = 'secret';
const address = '10.77.0.11';
const noSignal = new AbortController().signal;

let lab: Lab;
let directory = '';

const file = (name: string): string => path.join(directory, name);

interface Site {
  readonly access: ServerAccess;
  readonly handlers: ServerHandlers;
  connect(user: string, identity?: string): Promise<ServerFacts>;
  fault(user: string, identity?: string): Promise<Fault>;
  give(kind: 'ssh-password' | 'sudo-password', user: string, secret: string): Promise<unknown>;
}

interface Means extends Partial<ServerAccessOptions> {
  readonly known?: boolean;
}

/** An app of its own: nothing given, the lab's host keys known unless a test says otherwise. */
function site(means: Means = {}): Site {
  const [host] = lab.summary().hosts;
  const known = means.known === false ? '/nonexistent' : path.join(lab.dir, 'known_hosts');
  const proxyCommand = host?.proxyCommand ?? '';
  const text = [
    'Host *',
    `  UserKnownHostsFile ${known}`,
    '  IdentityFile /nonexistent',
    '  ConnectTimeout 10',
    `  ProxyCommand ${proxyCommand}`,
  ].join('\n');
  const own = mkdtempSync(file('site-'));
  const hostKeysFile = path.join(own, 'known_hosts');
  const access = createServerAccess({
    secrets: createSecretStore(),
    hostKeysFile,
    logins: fileLoginMemory(path.join(own, 'logins.json')),
    agentSocket: null,
    sshConfig: () => parseSshConfig(text),
    ...means,
  });
  const part = createServersPart({ access, hostKeysFile, sshDirectory: own, environment: { HOLDFAST_LAB: lab.name } });
  const handlers = part.serve({ emit: () => undefined, onClose: () => undefined });
  onTestFinished(() => part[Symbol.asyncDispose]());
  const machine = (user: string, identity?: string): Machine => ({
    destination: `${user}@${address}`,
    port: null,
    identity: identity ?? null,
  });
  const connect = (user: string, identity?: string) => handlers.connectServer(machine(user, identity), noSignal);
  return {
    access,
    handlers,
    connect,
    fault: async (user, identity) => {
      const error: unknown = await connect(user, identity).then(
        () => new Error('nothing was refused'),
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(Fault);
      return error as Fault;
    },
    give: (kind, user, secret) =>
      handlers.giveSecret({ request: { kind, user, host: address }, secret, remember: false }, noSignal),
  };
}

async function startAgent(keys: readonly string[]): Promise<string> {
  const socket = path.join(mkdtempSync(file('agent-')), 'socket');
  const agent: ChildProcess = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => {
    agent.kill();
  });
  if (agent.stdout) await once(agent.stdout, 'data');
  for (const key of keys) await execute('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  return socket;
}

async function makeKey(name: string, options: readonly string[] = []): Promise<string> {
  await execute('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', ...options, '-f', file(name)]);
  return file(name);
}

/** Users of n1, and what their sshd and shells do to whoever comes. */
const setUp = `
set -e
user() { useradd -m -s "$2" "$1"; echo "$1:${password}" | chpasswd; echo "$1 ALL=(ALL) NOPASSWD: ALL" > /etc/sudoers.d/$1; }
keys() { install -d -m 700 -o "$1" -g "$1" /home/$1/.ssh; install -m 600 -o "$1" -g "$1" /tmp/keys.pub /home/$1/.ssh/authorized_keys; }
user plain /bin/bash
user keyed /bin/bash; keys keyed
user asked /bin/bash
user strict /bin/bash; keys strict
user both /bin/bash; keys both
user twofold /bin/bash
user cshell /bin/tcsh
user fisher /usr/bin/fish
user noisy /bin/bash
user banner /bin/bash
user sudoer /bin/bash; echo 'sudoer ALL=(ALL) ALL' > /etc/sudoers.d/sudoer
user other /bin/bash; printf 'Defaults:other rootpw\\nother ALL=(ALL) ALL\\n' > /etc/sudoers.d/other
user ttyonly /bin/bash; printf 'Defaults:ttyonly requiretty\\nttyonly ALL=(ALL) NOPASSWD: ALL\\n' > /etc/sudoers.d/ttyonly
user few /bin/bash
user locked /usr/sbin/nologin
cat > /home/noisy/.bashrc <<'END'
echo "Welcome to $(hostname), have a nice day"; echo "3 updates" >&2
stty -ixon; tput setaf 1; printf '\\033[2J\\007'
END
printf 'set prompt = "x"\\necho "csh says hello"\\n' > /home/cshell/.cshrc
install -d /home/fisher/.config/fish; printf 'echo "fish says hello"\\nset -gx FISH yes\\n' > /home/fisher/.config/fish/config.fish
chown -R fisher: /home/fisher
seq -f 'Line %g of a banner that lawyers wrote' 200 > /etc/ssh/banner
cat >> /etc/ssh/sshd_config <<'END'
MaxSessions 10
Match User keyed
  PasswordAuthentication no
Match User asked
  PasswordAuthentication no
  KbdInteractiveAuthentication yes
Match User strict
  MaxAuthTries 2
Match User both
  AuthenticationMethods publickey,password
Match User twofold
  AuthenticationMethods password,keyboard-interactive
  KbdInteractiveAuthentication yes
Match User few
  MaxSessions 1
Match User banner
  Banner /etc/ssh/banner
END
systemctl reload ssh
`;

beforeEach((context) => {
  if (obstacle !== undefined) context.skip(obstacle.reason);
});
beforeAll(async () => {
  if (obstacle !== undefined) return;
  directory = mkdtempSync(path.join(tmpdir(), 'holdfast-servers-'));
  lab = await Lab.up({ name: 'servers', nodes: 2, layers: ['shells'] });
  await makeKey('good');
  await makeKey('locked', ['-N', 'phrase']);
  await makeKey('ecdsa', ['-t', 'ecdsa', '-N', 'phrase']);
  await makeKey('stranger', ['-N', 'unknown phrase']);
  const host = lab.host('n1');
  const publicKeys = ['good', 'locked', 'ecdsa'].map((name) => readFileSync(file(`${name}.pub`), 'utf8'));
  await host.writeFile('/tmp/keys.pub', publicKeys.join(''));
  await host.writeFile('/tmp/set-up', setUp);
  await host.must('sh /tmp/set-up');
});
afterAll(async () => {
  if (obstacle !== undefined) return;
  rmSync(directory, { recursive: true, force: true });
  await lab.down();
});

describe('a door that asks for something', () => {
  it('says what, is opened with it, and is not asked for it again', async () => {
    const app = site();
    const fault = await app.fault('plain');
    expect(fault.code).toBe('secret-needed');
    expect(fault.details).toEqual({ kind: 'ssh-password', user: 'plain', host: address, wrong: false });
    await app.give('ssh-password', 'plain', password);
    const facts = await app.connect('plain');
    expect(facts).toMatchObject({ hostname: 'n1', suggestedName: 'n1', user: 'plain', isRoot: false, cluster: null });
    expect(facts.osName).toContain('Debian');
    expect(facts.addresses).toContainEqual({ interface: 'eth0', address, prefixLength: 24 });
    expect(facts.memoryBytes).toBeGreaterThan(100_000_000);
  });

  it('refuses a wrong password once, and forgets it', async () => {
    const app = site();
    await app.give('ssh-password', 'plain', 'Sesame');
    const fault = await app.fault('plain');
    expect(fault.code).toBe('login-refused');
    expect(fault.details['tried']).toEqual(['password']);
    expect(JSON.stringify(fault.toRecord()) + String(fault.stack)).not.toContain('Sesame');
    expect((await app.fault('plain')).code).toBe('secret-needed');
  });

  it('tells who waits for it that something was given', async () => {
    const app = site();
    const machine = { name: 'n1', role: 'node' as const, destination: `plain@${address}` };
    await expect(app.access.connect(machine)).rejects.toThrow('is needed');
    let told = 0;
    app.access.onGiven(() => told++);
    await app.give('ssh-password', 'plain', password);
    expect(told).toBe(1);
    await using transport = await app.access.connect(machine);
    expect((await transport.command('id -un')).stdout).toBe('plain\n');
  });

  it('of a server that is just booting is no refusal: it says so, and opens later', async () => {
    const host = lab.host('n1');
    await host.must("echo 'System is booting up. Come back later.' > /run/nologin");
    const app = site();
    const fault = await app.fault('keyed', file('good'));
    await host.must('rm /run/nologin');
    expect(fault.code).toBe('connection-lost');
    expect(fault.message).toContain('System is booting up');
    expect((await app.connect('keyed', file('good'))).user).toBe('keyed');
  });

  it('that only puts questions is answered like any other', async () => {
    const app = site();
    expect((await app.fault('asked')).details['kind']).toBe('ssh-password');
    await app.give('ssh-password', 'asked', password);
    expect((await app.connect('asked')).user).toBe('asked');
  });

  it('that takes no passwords says so instead of asking for one', async () => {
    const app = site();
    const fault = await app.fault('keyed');
    expect(fault.code).toBe('login-refused');
    expect(fault.details).toMatchObject({ tried: [], takes: ['publickey'] });
    expect(fault.remedy).toContain('authorized_keys');
    expect((await app.connect('keyed', file('good'))).user).toBe('keyed');
  });

  it('that wants a key and then a password gets both', async () => {
    const app = site();
    expect((await app.fault('both', file('good'))).details['kind']).toBe('ssh-password');
    await app.give('ssh-password', 'both', password);
    expect((await app.connect('both', file('good'))).user).toBe('both');
  });

  it('that wants a second proof of another kind says so, and the password stays right', async () => {
    const app = site();
    await app.give('ssh-password', 'twofold', password);
    for (let round = 0; round < 2; round++) {
      const fault = await app.fault('twofold');
      expect(fault.code).toBe('login-refused');
      expect(fault.details).toMatchObject({ tried: ['password'], secondProof: true });
    }
  });
});

describe('keys', () => {
  it.each(['locked', 'ecdsa'])('with a passphrase: asked for when the server takes the key (%s)', async (name) => {
    const app = site();
    const fault = await app.fault('keyed', file(name));
    expect(fault.details).toEqual({ kind: 'key-passphrase', file: file(name), wrong: false });
    const request: SecretRequest = { kind: 'key-passphrase', file: file(name) };
    await app.handlers.giveSecret({ request, secret: 'wrong', remember: false }, noSignal);
    expect((await app.fault('keyed', file(name))).details).toEqual({ ...request, wrong: true });
    await app.handlers.giveSecret({ request, secret: 'phrase', remember: false }, noSignal);
    expect((await app.connect('keyed', file(name))).user).toBe('keyed');
  });

  it('with a passphrase, of no use to this server: the passphrase is not asked for', async () => {
    const app = site();
    const fault = await app.fault('plain', file('stranger'));
    expect(fault.details['kind']).toBe('ssh-password');
  });

  it('in an agent: a locked key that it holds needs no passphrase', async () => {
    const copy = file('locked-open');
    writeFileSync(copy, readFileSync(file('locked')), { mode: 0o600 });
    await execute('ssh-keygen', ['-q', '-p', '-P', 'phrase', '-N', '', '-f', copy]);
    const app = site({ agentSocket: await startAgent([copy]) });
    expect((await app.connect('keyed', file('locked'))).user).toBe('keyed');
  });

  it('in an agent: too many wrong ones for the server are tried in several goes', async () => {
    const wrong = await Promise.all([1, 2, 3, 4, 5].map((number) => makeKey(`wrong-${number}`)));
    const app = site({ agentSocket: await startAgent([...wrong, file('good')]) });
    expect((await app.connect('strict')).user).toBe('strict');
  });

  it('in an agent: after too many wrong ones a password is still asked for', async () => {
    const wrong = await Promise.all([6, 7, 8].map((number) => makeKey(`wrong-${number}`)));
    const app = site({ agentSocket: await startAgent(wrong) });
    expect((await app.fault('strict')).details['kind']).toBe('ssh-password');
  });

  it('an agent that is gone does not keep anybody outside', async () => {
    const app = site({ agentSocket: file('no-agent') });
    await app.give('ssh-password', 'plain', password);
    expect((await app.connect('plain')).user).toBe('plain');
  });

  it('the one that let us in is taken again by whoever knows the address only', async () => {
    const app = site();
    await app.connect('keyed', file('good'));
    app.access.distrust();
    await using transport = await app.access.connect({
      name: 'n1',
      role: 'node',
      destination: `keyed@${address}`,
    });
    expect((await transport.command('id -un')).stdout).toBe('keyed\n');
  });
});

describe('host keys', () => {
  it('unknown: shown, accepted, pinned', async () => {
    const app = site({ known: false });
    await app.give('ssh-password', 'plain', password);
    const fault = await app.fault('plain');
    expect(fault.code).toBe('host-key-unknown');
    const fingerprint = String(fault.details['fingerprint']);
    expect(fault.details).toMatchObject({ host: address, port: 22, type: 'ssh-ed25519' });
    // Another one that was accepted is no licence for this one.
    await app.handlers.acceptHostKey({ host: address, port: 22, fingerprint: 'SHA256:other' }, noSignal);
    await app.handlers.acceptHostKey({ host: '10.77.0.12', port: 22, fingerprint }, noSignal);
    expect((await app.fault('plain')).code).toBe('host-key-unknown');
    await app.handlers.acceptHostKey({ host: address, port: 22, fingerprint }, noSignal);
    expect((await app.connect('plain')).hostKeyFingerprint).toBe(fingerprint);
  });

  it('changed: both are shown, and only a person replaces the one on record', async () => {
    const stored = file('changed');
    const other = await lab.host('n2').must('cat /etc/ssh/ssh_host_ed25519_key.pub');
    writeFileSync(stored, `${address} ${other.split(' ').slice(0, 2).join(' ')}\n`);
    const app = site({ known: false, hostKeysFile: stored });
    await app.give('ssh-password', 'plain', password);
    const fault = await app.fault('plain');
    expect(fault.code).toBe('host-key-changed');
    expect(fault.details['expected']).toHaveLength(1);
    const fingerprint = String(fault.details['fingerprint']);
    expect(fault.details['expected']).not.toContain(fingerprint);
    await app.handlers.acceptHostKey({ host: address, port: 22, fingerprint }, noSignal);
    expect((await app.connect('plain')).hostname).toBe('n1');
    expect(readFileSync(stored, 'utf8').trim().split('\n')).toHaveLength(1);
  });
});

describe('login shells and noise', () => {
  it.each(['noisy', 'banner', 'cshell', 'fisher', 'plain'])('of %s are no obstacle', async (user) => {
    const app = site();
    await app.give('ssh-password', user, password);
    const facts = await app.connect(user);
    expect(facts).toMatchObject({ hostname: 'n1', user, isRoot: false });
    await using transport = await app.access.transport({ destination: `${user}@${address}` });
    for (const elevated of [false, true]) {
      const script = `printf '%s\\n' "it's" 'a\\b' '$HOME!'; id -u; echo no >&2; exit 5`;
      const result = await transport.command(script, { elevated, input: 'unused' });
      const id = elevated ? '0' : /^\d+$/m.exec(result.stdout)?.[0];
      expect(result).toEqual({ code: 5, stdout: `it's\na\\b\n$HOME!\n${id ?? ''}\n`, stderr: 'no\n' });
    }
  });

  it('a shell that runs nothing says so', async () => {
    const app = site();
    await app.give('ssh-password', 'locked', password);
    expect((await app.fault('locked')).code).toBe('shell-unusable');
  });
});

describe('becoming root', () => {
  it('with the password of the login, where that is the one', async () => {
    const app = site();
    await app.give('ssh-password', 'sudoer', password);
    expect(await app.connect('sudoer')).toMatchObject({ user: 'sudoer', isRoot: false });
  });

  it('with another one: asked for, wrong, right', async () => {
    await lab.host('n1').must('echo root:elsewhere | chpasswd');
    const app = site();
    await app.give('ssh-password', 'other', password);
    expect((await app.fault('other')).details).toEqual({
      kind: 'sudo-password',
      user: 'other',
      host: address,
      wrong: false,
    });
    await app.give('sudo-password', 'other', 'wrong');
    expect((await app.fault('other')).code).toBe('sudo-password-wrong');
    expect((await app.fault('other')).code).toBe('secret-needed');
    await app.give('sudo-password', 'other', 'elsewhere');
    expect((await app.connect('other')).user).toBe('other');
  });

  it('with a key only: sudo still has its own question', async () => {
    const app = site();
    await lab.host('n1').must("echo 'keyed ALL=(ALL) ALL' > /etc/sudoers.d/keyed");
    expect((await app.fault('keyed', file('good'))).details['kind']).toBe('sudo-password');
    await app.give('sudo-password', 'keyed', password);
    expect((await app.connect('keyed', file('good'))).user).toBe('keyed');
    await lab.host('n1').must("echo 'keyed ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/keyed");
  });

  it('where sudo wants a terminal: refused, with what sudo says', async () => {
    const app = site();
    await app.give('ssh-password', 'ttyonly', password);
    const fault = await app.fault('ttyonly');
    expect(fault.code).toBe('no-sudo');
    expect(fault.message).toMatch(/tty/);
  });

  it('where nobody may', async () => {
    const app = site();
    await app.give('ssh-password', 'operator', password);
    expect((await app.fault('operator')).code).toBe('no-sudo');
  });

  it('with the secrets of the environment, as the command line takes them', async () => {
    const environment = { HOLDFAST_SSH_PASSWORD: password, HOLDFAST_SUDO_PASSWORD: password };
    const app = site({ secrets: createSecretStore({ otherwise: environmentSecrets(environment) }) });
    expect((await app.connect('sudoer')).user).toBe('sudoer');
  });
});

describe('connections', () => {
  it('are shared, also by those who come at the same time, and each user ends for itself', async () => {
    const app = site();
    await app.give('ssh-password', 'plain', password);
    const machine = { destination: `plain@${address}` };
    const [one, two] = await Promise.all([app.access.transport(machine), app.access.transport(machine)]);
    const connection = async (transport: typeof one): Promise<string> =>
      (await transport.command('echo $SSH_CONNECTION')).stdout;
    expect(await connection(one)).toBe(await connection(two));
    const stream = await one.connect('exec cat');
    const ended = once(stream, 'close');
    one.close();
    await ended;
    await expect(one.command('true')).rejects.toThrow('closed');
    expect(await connection(two)).not.toBe('');
    two.close();
  });

  it('that allow one session each are as many as it takes', async () => {
    const app = site();
    await app.give('ssh-password', 'few', password);
    await using transport = await app.access.transport({ destination: `few@${address}` });
    const stream = await transport.connect('exec cat');
    const outputs = await Promise.all([1, 2, 3].map((number) => transport.command(`echo ${number}`)));
    expect(outputs.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n']);
    stream.destroy();
  });

  it('that nobody needs are closed', async () => {
    const app = site({ idleMs: 1 });
    await app.give('ssh-password', 'plain', password);
    const first = await app.access.transport({ destination: `plain@${address}` });
    const { stdout } = await first.command('echo $SSH_CONNECTION');
    first.close();
    await first.closed;
    const port = stdout.split(' ')[1] ?? '';
    const alive = (): Promise<string> => lab.host('n1').must(`ss -tn state established | grep -c :${port} || true`);
    await expect.poll(alive).toBe('0\n');
    await using second = await app.access.transport({ destination: `plain@${address}` });
    expect((await second.command('echo $SSH_CONNECTION')).stdout).not.toBe(stdout);
  });

  it('that are being made are given up when nobody waits any more', async () => {
    const app = site();
    const controller = new AbortController();
    const opening = app.handlers.connectServer(
      { destination: 'plain@10.77.0.99', port: null, identity: null },
      controller.signal,
    );
    controller.abort(new Fault('aborted', { message: 'enough' }));
    await expect(opening).rejects.toThrow('enough');
  });

  it('that are cut in the middle of a command say so, and are made again', async () => {
    const [, n2] = lab.summary().hosts;
    const config = [
      'Host *',
      `  UserKnownHostsFile ${path.join(lab.dir, 'known_hosts')}`,
      '  ConnectTimeout 2',
      `  ProxyCommand ${n2?.proxyCommand ?? ''}`,
    ];
    const direct = site({ sshConfig: () => parseSshConfig(config.join('\n')) });
    const machine: Machine = { destination: 'root@10.77.0.12', port: null, identity: lab.identityPath };
    const transport = await direct.access.transport(machine);
    const running = transport.command('echo begun; sleep 60').catch((error: unknown) => Fault.from(error));
    await lab.host('n2').must('while ! pgrep -f "^sleep 60"; do sleep 0.05; done');
    await lab.cut('client', 'n2');
    expect(await running).toMatchObject({ code: 'connection-lost' });
    await transport.closed;
    const unreachable = await direct.access.transport(machine).catch((error: unknown) => Fault.from(error));
    expect(unreachable).toMatchObject({ code: 'ssh-unreachable' });
    await lab.heal('client', 'n2');
    await using again = await direct.access.transport(machine);
    expect((await again.command('hostname')).stdout).toBe('n2\n');
  });
});

describe('finding servers', () => {
  it('the lab is found by itself', async () => {
    const found = (await site().handlers.discover({}, noSignal)) as FoundServer[];
    expect(found.filter(({ source }) => source === 'lab').map(({ name }) => name)).toEqual(
      expect.arrayContaining(['n1', 'n2']),
    );
  });

  it('a scan of a real network finds its servers', async () => {
    const script = `
      import { scanSubnet } from ${JSON.stringify(`${repositoryRoot}/src-main/discovery/index.ts`)};
      const began = performance.now();
      const found = await scanSubnet('10.77.0.0/24');
      console.log(JSON.stringify({ found, ms: performance.now() - began }));`;
    const program = file('scan.ts');
    writeFileSync(program, script);
    const { stdout } = await lab.client.exec([...nodeCommand('relay.ts').slice(0, -1), program]);
    const { found, ms } = JSON.parse(stdout) as { found: FoundServer[]; ms: number };
    expect(found.map(({ destination }) => destination)).toEqual(['10.77.0.11', '10.77.0.12']);
    expect(found[0]?.name).toMatch(/^OpenSSH \S+ Debian$/);
    expect(ms).toBeLessThan(10_000);
  });

  it.each([
    ['nonsense', 'subnet-invalid'],
    ['10.0.0.0/8', 'subnet-too-large'],
  ])('a scan of %s is refused', async (subnet, code) => {
    const refused = await site()
      .handlers.scan({ subnet }, noSignal)
      .catch((error: unknown) => Fault.from(error));
    expect(refused).toMatchObject({ code });
  });

  it.each(['', 'root@', '-oProxyCommand=touch', 'root@n1:99999'])('%j is no destination', async (destination) => {
    const refused = await site()
      .handlers.connectServer({ destination, port: null, identity: null }, noSignal)
      .catch((error: unknown) => Fault.from(error));
    expect(refused).toMatchObject({ code: 'destination-invalid' });
  });
});

it('the first contact takes less than a second once SSH is up', async () => {
  const app = site();
  await app.give('ssh-password', 'sudoer', password);
  await using open = await app.access.transport({ destination: `sudoer@${address}` });
  const times: number[] = [];
  // The machine that runs this may do other things meanwhile.
  for (let round = 0; round < 5; round++) times.push((await app.connect('sudoer')).firstContactMs);
  expect(Math.min(...times)).toBeLessThan(1000);
  expect(open.user).toBe('sudoer');
});
