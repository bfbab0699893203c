import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeKeys } from './keys.ts';
import { certificateFingerprint } from './network/certificate.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'holdfast-keys-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('makes a key and a certificate once, and keeps them', async () => {
  const first = await makeKeys('n1', directory);
  expect(first.made).toBe(true);
  const keyFile = path.join(directory, 'node.key');
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  const certificate = new X509Certificate(first.certificatePem);
  expect(certificate.checkPrivateKey(createPrivateKey(readFileSync(keyFile)))).toBe(true);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.subject).toBe('CN=n1');
  expect(await makeKeys('n1', directory)).toEqual({ certificatePem: first.certificatePem, made: false });
  expect(certificateFingerprint(first.certificatePem)).toMatch(/^[0-9a-f]{64}$/);
});

it('makes both anew when an interrupted run left two that do not belong together', async () => {
  const first = await makeKeys('n1', directory);
  const other = await makeKeys('n1', path.join(directory, 'other'));
  writeFileSync(path.join(directory, 'node.crt'), other.certificatePem);
  const second = await makeKeys('n1', directory);
  expect(second.made).toBe(true);
  expect(second.certificatePem).not.toBe(first.certificatePem);
});
