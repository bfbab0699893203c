import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { fileKeychain, type Keychain } from './keychain.ts';
import { environmentSecrets, type SecretRequest } from './secret-source.ts';
import { createSecretStore } from './secret-store.ts';

const password: SecretRequest = { kind: 'ssh-password', user: 'admin', host: '10.0.0.11' };
const sudo: SecretRequest = { kind: 'sudo-password', user: 'admin', host: '10.0.0.11' };

function temporaryFile(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'holdfast-secrets-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return path.join(directory, 'keychain.json');
}

/** Turns every byte around: not readable as it stands. */
const seal = {
  encrypt: (secret: string) => Buffer.from(Buffer.from(secret).map((byte) => byte ^ 0xff)),
  decrypt: (sealed: Buffer) => Buffer.from(sealed.map((byte) => byte ^ 0xff)).toString(),
};

it('what is missing is noted, what was given is found, under any name of the host', async () => {
  const store = createSecretStore();
  const before = store.forLogin(['n1']);
  expect(await before.get(password, 1)).toBeNull();
  expect(before.missing).toEqual([password]);
  await store.give({ ...password, host: 'n1' }, 'right', false);
  const after = store.forLogin(['n1']);
  expect(await after.get(password, 1)).toBe('right');
  expect([after.missing, after.wrong]).toEqual([[], []]);
  expect(await store.forLogin(['n2']).get(password, 1)).toBeNull();
});

it('a wrong secret is forgotten at once, until another one is given', async () => {
  const store = createSecretStore();
  await store.give(password, 'wrong', false);
  const login = store.forLogin([]);
  expect(await login.get(password, 1)).toBe('wrong');
  expect(await login.get(password, 2)).toBeNull();
  expect([login.wrong, login.missing]).toEqual([[password], []]);
  const next = store.forLogin([]);
  expect(await next.get(password, 1)).toBeNull();
  expect(next.missing).toEqual([password]);
  await store.give(password, 'right', false);
  expect(await store.forLogin([]).get(password, 1)).toBe('right');
});

it('a secret of the environment that was refused is not offered again', async () => {
  const store = createSecretStore({ otherwise: environmentSecrets({ HOLDFAST_SSH_PASSWORD: 'old' }) });
  const login = store.forLogin([]);
  expect(await login.get(password, 1)).toBe('old');
  expect(await login.get(password, 2)).toBeNull();
  expect(await store.forLogin([]).get(password, 1)).toBeNull();
});

it('sudo is answered with the password of the login, and asked for when that is not it', async () => {
  const store = createSecretStore();
  await store.give(password, 'login', false);
  const login = store.forLogin([]);
  expect(await login.get(sudo, 1)).toBe('login');
  expect(await login.get(sudo, 2)).toBeNull();
  expect([login.missing, login.wrong]).toEqual([[sudo], []]);
  // It still is the password of the login.
  expect(await store.forLogin([]).get(password, 1)).toBe('login');
  expect(await store.forLogin([]).get(sudo, 1)).toBeNull();
  await store.give(sudo, 'other', false);
  expect(await store.forLogin([]).get(sudo, 1)).toBe('other');
});

it('whoever waits is told when something was given', async () => {
  const store = createSecretStore();
  let told = 0;
  const end = store.onGiven(() => told++);
  await store.give(password, 'right', false);
  end();
  await store.give(password, 'right', false);
  expect(told).toBe(1);
});

it('a keychain keeps what is to be remembered, sealed, and forgets what was wrong', async () => {
  const file = temporaryFile();
  await createSecretStore({ keychain: fileKeychain(file, seal) }).give(password, 'Sesame', true);
  expect(readFileSync(file, 'utf8')).not.toContain('Sesame');
  expect(statSync(file).mode & 0o777).toBe(0o600);

  const tomorrow = createSecretStore({ keychain: fileKeychain(file, seal) });
  const login = tomorrow.forLogin([]);
  expect(await login.get(password, 1)).toBe('Sesame');
  expect(await login.get(password, 2)).toBeNull();
  expect(await fileKeychain(file, seal).get('ssh-password admin@10.0.0.11')).toBeNull();
});

it('a keychain that cannot be opened any more holds nothing, and takes new secrets', async () => {
  const file = temporaryFile();
  await createSecretStore({ keychain: fileKeychain(file, seal) }).give(password, 'Sesame', true);
  const broken: Keychain = fileKeychain(file, {
    ...seal,
    decrypt: () => {
      throw new Error('another user');
    },
  });
  const store = createSecretStore({ keychain: broken });
  expect(await store.forLogin([]).get(password, 1)).toBeNull();
  await store.give(password, 'new', true);
  expect(await store.forLogin([]).get(password, 1)).toBe('new');
});
