/**
 * A node's key and its self-signed certificate. Peers pin the certificate itself: its names and dates decide nothing, so it is
 * valid for ever in practice (a server whose clock is wrong must still speak to its peer).
 */
import 'reflect-metadata';
import type { X509Certificate } from '@peculiar/x509';
import { X509CertificateGenerator, cryptoProvider } from '@peculiar/x509';
import { createHash, randomBytes, webcrypto, X509Certificate as ParsedCertificate } from 'node:crypto';

export interface NodeIdentity {
  readonly keyPem: string;
  readonly certificatePem: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** RFC 5280 4.1.2.5: no well-defined expiration date. */
const validity = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('9999-12-31T23:59:59Z') };

/** `dates`: for tests that have a clock be wrong by years. */
export async function makeCertificate(node: string, dates: typeof validity = validity): Promise<NodeIdentity> {
  cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate: X509Certificate = await X509CertificateGenerator.createSelfSigned({
    // A leading 1 keeps the number positive, as DER wants it.
    serialNumber: `1${randomBytes(15).toString('hex')}0`.slice(0, 32),
    name: `CN=${node}`,
    ...dates,
    signingAlgorithm: algorithm,
    keys,
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const lines = key.match(/.{1,64}/g) ?? [];
  return {
    keyPem: `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`,
    certificatePem: `${certificate.toString('pem').trim()}\n`,
  };
}

/** SHA-256 of the DER form, lower-case hex: what peers compare. */
export function certificateFingerprint(certificatePem: string): string {
  return createHash('sha256').update(new ParsedCertificate(certificatePem).raw).digest('hex');
}
