/** Servers: how to find them, how to log in, what they are. Used by the wizard, and by whatever meets a locked door later. */
import { z } from 'zod';

/** How the laptop reaches a machine. */
export const machineSchema = z.object({
  /** `user@host`, or a name of the SSH configuration. */
  destination: z.string(),
  port: z.number().int().min(1).max(65535).nullable(),
  /** A private key to try first. */
  identity: z.string().nullable(),
});
export type Machine = z.infer<typeof machineSchema>;

export const foundServerSchema = z.object({
  destination: z.string(),
  port: z.number().int().nullable(),
  /** Name in the file, or what the server says of itself. */
  name: z.string(),
  source: z.enum(['ssh-config', 'known-hosts', 'scan', 'lab']),
  /** Answers on its SSH port; null: not tried. */
  answers: z.boolean().nullable(),
});
export type FoundServer = z.infer<typeof foundServerSchema>;

export const secretRequestSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ssh-password'), user: z.string(), host: z.string() }),
  z.object({ kind: z.literal('sudo-password'), user: z.string(), host: z.string() }),
  z.object({ kind: z.literal('key-passphrase'), file: z.string() }),
]);

export const serverFactsSchema = z.object({
  /** What it calls itself, shortened to what the configuration takes as a node name. */
  suggestedName: z.string(),
  hostname: z.string(),
  user: z.string(),
  isRoot: z.boolean(),
  hostKeyFingerprint: z.string(),
  osName: z.string(),
  kernel: z.string(),
  architecture: z.string(),
  cores: z.number().nullable(),
  memoryBytes: z.number().nullable(),
  machineId: z.string(),
  addresses: z.array(z.object({ interface: z.string(), address: z.string(), prefixLength: z.number() })),
  /** Cluster that it belongs to already; null: none. */
  cluster: z.string().nullable(),
  agentVersion: z.string().nullable(),
  /** From the first byte sent until these facts were here. */
  firstContactMs: z.number(),
});
export type ServerFacts = z.infer<typeof serverFactsSchema>;

export const serverMethods = {
  /** From files; quick. */
  discover: { params: z.object({}), result: z.array(foundServerSchema) },
  /** Subnets of this laptop that are worth a scan, as `10.0.0.0/24`; never larger than /22. */
  subnets: { params: z.object({}), result: z.array(z.string()) },
  /** Who answers on port 22 there. Cancellable; what is found meanwhile comes as `found`. Fault: subnet-invalid, subnet-too-large. */
  scan: { params: z.object({ subnet: z.string() }), result: z.array(foundServerSchema) },
  /** Private keys in ~/.ssh, for a choice. */
  identities: { params: z.object({}), result: z.array(z.string()) },
  /**
   * Logs in and looks. Nothing is asked from here: what is missing is a fault that says so, and the call is repeated once it was given.
   * Faults: host-key-unknown, host-key-changed, host-key-revoked (details: host, port, type, fingerprint, expected), login-refused (details:
   * host, user, tried), secret-needed (details: kind as in SecretRequest, and its fields), sudo-password-wrong, no-sudo, ssh-unreachable,
   * connection-lost, not-a-linux-server, destination-invalid.
   */
  connectServer: { params: machineSchema, result: serverFactsSchema },
  /** Kept in memory until the app ends; `remember`: also in the keychain of the system where the host has one. */
  giveSecret: {
    params: z.object({ request: secretRequestSchema, secret: z.string(), remember: z.boolean() }),
    result: z.null(),
  },
  /** A person has compared it. Pins it in place of the one that is on record. */
  acceptHostKey: {
    params: z.object({ host: z.string(), port: z.number().int(), fingerprint: z.string() }),
    result: z.null(),
  },
} as const;

export const serverEvents = {
  found: foundServerSchema,
} as const;
