/** The configuration file (INTERFACES.md), as written by people, and what the installer makes of it for the nodes. */
import * as z from 'zod';
import { checkerDefinitionSchema, checkerSchema, restartLimitDefault, restartLimitSchema } from './checkers.ts';
import { durationText, ipv4, ipv4WithPrefix, nameSchema } from './values.ts';

export { durationMs } from './values.ts';

export const scriptSchema = z.union([
  z.string().min(1),
  z.strictObject({ command: z.string().min(1), timeout: durationText.default('60s') }),
]);
export type ScriptText = z.infer<typeof scriptSchema>;

const sshTarget = z.string().regex(/^([^@\s]+@)?[^@\s]+$/, 'write user@host');

/** `{ ssh, port, sudo }`: how the laptop reaches a machine. */
const machineShape = {
  ssh: sshTarget,
  port: z.number().int().min(1).max(65535).optional(),
  sudo: z.boolean().optional(),
};

/** What an answered change means; docs/replication.md, "Levels". */
export const acknowledgeLevels = ['received', 'durable', 'write-through'] as const;
export type AcknowledgeLevel = (typeof acknowledgeLevels)[number];

export const mirrorModuleSchema = z.strictObject({
  name: nameSchema,
  kind: z.literal('mirror'),
  prefer: nameSchema.optional(),
  failback: z.enum(['manual', 'automatic']).default('manual'),
  /** Other modules that have to run somewhere before this one's application is started. */
  dependsOn: z.array(nameSchema).max(32, 'write at most 32 modules').default([]),
  replicate: z
    .array(
      z.strictObject({
        path: z.string().regex(/^\/([^\0]*[^/\0])?$/, 'write an absolute path without a slash at its end'),
      }),
    )
    .min(1),
  acknowledge: z.enum(acknowledgeLevels).default('durable'),
  cache: z.enum(['writeback', 'none']).default('none'),
  vip: z.union([ipv4WithPrefix, z.array(ipv4WithPrefix)]).default([]),
  interface: z.string().optional(),
  prestart: scriptSchema.optional(),
  start: scriptSchema,
  stop: scriptSchema,
  poststop: scriptSchema.optional(),
  forceStop: scriptSchema.optional(),
  transition: scriptSchema.optional(),
  checkers: z.array(checkerSchema).max(64, 'write at most 64 checkers').default([]),
  restartLimit: restartLimitSchema.optional(),
});

export const configurationSchema = z.strictObject({
  version: z.literal(1),
  cluster: nameSchema,
  nodes: z
    .array(z.strictObject({ name: nameSchema, ...machineShape }))
    .length(2, 'a mirror cluster has exactly two nodes'),
  networks: z
    .array(z.strictObject({ name: nameSchema, subnet: ipv4WithPrefix }))
    .min(1)
    .optional(),
  /** `{ ping }`: an address that should always answer, a router. No vote: whoever reaches neither it nor the other node starts nothing and stops. */
  witness: z.union([z.literal('none'), z.strictObject(machineShape), z.strictObject({ ping: ipv4 })]).default('none'),
  withoutWitness: z.enum(['prefer-one-copy', 'prefer-availability']).default('prefer-one-copy'),
  detection: durationText.default('3s'),
  modules: z.array(mirrorModuleSchema).min(1),
});
export type Configuration = z.output<typeof configurationSchema>;
/** A third machine that votes; null: there is none. */
export function votingWitnessOf({
  witness,
}: Configuration): { ssh: string; port?: number | undefined; sudo?: boolean | undefined } | null {
  return witness === 'none' || 'ping' in witness ? null : witness;
}
/** The address of a ping witness; null: there is none. */
export function pingWitnessOf({ witness }: Configuration): string | null {
  return witness !== 'none' && 'ping' in witness ? witness.ping : null;
}
export type MirrorModuleConfiguration = z.output<typeof mirrorModuleSchema>;

/**
 * What a node is told: `/etc/holdfast/cluster.json`, the same text on both nodes, resolved by the installer (addresses of
 * every node on every network, one secret and one certificate per node are in files beside it).
 */
export const clusterRecordSchema = z.object({
  format: z.literal(1),
  /** Grows with every apply; a node refuses an older one. */
  revision: z.number().int().positive(),
  cluster: nameSchema,
  /** Random, made at the first apply: tells apart two clusters of the same name. */
  clusterUuid: z.string(),
  nodes: z
    .array(
      z.object({
        name: nameSchema,
        /** One per network, same order as `networks`. */
        addresses: z.array(ipv4).min(1),
      }),
    )
    .length(2),
  networks: z.array(z.object({ name: nameSchema, subnet: z.string() })).min(1),
  witness: z.object({ address: ipv4, port: z.number().int() }).nullable(),
  /** Records of earlier versions have none. Not null only where `witness` is. */
  pingWitness: ipv4.nullable().default(null),
  withoutWitness: z.enum(['prefer-one-copy', 'prefer-availability']),
  detectionMs: z.number().int().min(1000).max(60_000),
  modules: z.array(
    z.object({
      name: nameSchema,
      prefer: nameSchema.nullable(),
      failback: z.enum(['manual', 'automatic']),
      /** Records of earlier versions have none. */
      dependsOn: z.array(nameSchema).default([]),
      /** volume id is `<module>/<index>`. */
      volumes: z.array(z.object({ id: z.string(), path: z.string(), volumeUuid: z.string() })).min(1),
      cache: z.enum(['writeback', 'none']),
      /** Records of earlier versions have none. */
      acknowledge: z.enum(acknowledgeLevels).default('durable'),
      vips: z.array(
        z.object({ address: ipv4, prefixLength: z.number().int().min(0).max(32), interface: z.string().nullable() }),
      ),
      scripts: z.object({
        prestart: z.object({ command: z.string(), timeoutMs: z.number() }).nullable(),
        start: z.object({ command: z.string(), timeoutMs: z.number() }),
        stop: z.object({ command: z.string(), timeoutMs: z.number() }),
        poststop: z.object({ command: z.string(), timeoutMs: z.number() }).nullable(),
        forceStop: z.object({ command: z.string(), timeoutMs: z.number() }).nullable(),
        transition: z.object({ command: z.string(), timeoutMs: z.number() }).nullable(),
      }),
      /** Records of earlier versions have none. */
      checkers: z.array(checkerDefinitionSchema).default([]),
      /** How often checkers may stop or restart the application on one node within this time, before it is moved and kept away from it. */
      restartLimit: z.object({ count: z.number().int().positive(), windowMs: z.number().positive() }).default({
        ...restartLimitDefault,
      }),
    }),
  ),
});
export type ClusterRecord = z.infer<typeof clusterRecordSchema>;
export type ModuleDefinition = ClusterRecord['modules'][number];

/** `/etc/holdfast/node.json`: who this node is. */
export const nodeRecordSchema = z.object({ format: z.literal(1), node: nameSchema });

export const ports = {
  /** TCP, replicator, TLS 1.3. */
  peerLink: 7411,
  /** UDP, holdfastd, authenticated. */
  heartbeat: 7412,
  /** UDP, witness, authenticated. */
  witness: 7413,
} as const;
