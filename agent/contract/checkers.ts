/** Checkers: what is watched of an application and its surroundings, how often, and what follows when it fails. */
import * as z from 'zod';
import { durationText, ipv4, nameSchema } from './values.ts';

/** What is watched; exactly one of these stands in an entry of `checkers:`. */
export const checkerKinds = [
  'tcp',
  'http',
  'https',
  'process',
  'service',
  'ping',
  'interface',
  'mount',
  'disk',
  'script',
  'module',
  'vm',
] as const;
export type CheckerKind = (typeof checkerKinds)[number];

/** From the mildest to the one that moves most. */
export const checkerActions = ['none', 'restart', 'stop-start', 'failover', 'wait'] as const;
export type CheckerAction = (typeof checkerActions)[number];

const portWords = 'write a port from 1 to 65535';
const port = z.number().int(portWords).min(1, portWords).max(65535, portWords);
const absolutePath = z.string().regex(/^\/([^\0]*[^/\0])?$/, 'write an absolute path without a slash at its end');
/** What the kernel takes as the address of a socket. */
const socketBytesMax = 107;
const socketPath = absolutePath.refine(
  (path) => new TextEncoder().encode(path).length <= socketBytesMax,
  `write a path of at most ${socketBytesMax} bytes`,
);
const oneLine = (text: string): boolean => /^\P{Cc}*$/u.test(text);

/** As people write it. Which keys go together is a rule of the parser, so that each complaint has its own place. */
export const checkerSchema = z.strictObject({
  tcp: z
    .union([port, z.string().regex(/^(\d{1,3}(\.\d{1,3}){3}|localhost):\d{1,5}$/, 'write 5432 or 10.0.0.50:5432')])
    .optional(),
  http: z.string().optional(),
  https: z.string().optional(),
  status: z.number().int().min(100).max(599).optional(),
  contains: z.string().min(1).max(1000).optional(),
  process: z.string().min(1).max(200).refine(oneLine, 'write the name of a program').optional(),
  service: z
    .string()
    .regex(/^[A-Za-z0-9:_.@\\-]{1,255}$/, 'write the name of a systemd unit')
    .optional(),
  ping: ipv4.optional(),
  interface: z
    .string()
    .regex(/^[^\s/\0]{1,15}$/, 'write the name of a network interface, such as eth0')
    .optional(),
  mount: absolutePath.optional(),
  disk: z
    .strictObject({
      path: absolutePath,
      freePercentMin: z.number().min(0).max(99).optional(),
      latencyMsMax: z.number().min(1).max(600_000).optional(),
    })
    .optional(),
  script: z.string().min(1).max(4000).refine(oneLine, 'write one line').optional(),
  module: nameSchema.optional(),
  vm: z
    .strictObject({
      // A number would be taken for the one that libvirt gives anew at each start.
      domain: z
        .string()
        .regex(/^(?!-)(?!\d+$)[^/\p{Cc}]{1,200}$/u, 'write the name that `virsh list --all` shows')
        .optional(),
      monitor: socketPath.optional(),
      guestAgent: socketPath.optional(),
    })
    .optional(),
  interval: durationText.optional(),
  timeout: durationText.optional(),
  failures: z.number().int().min(1).max(100).optional(),
  action: z.enum(checkerActions).optional(),
  gracePeriod: durationText.optional(),
});
export type CheckerText = z.output<typeof checkerSchema>;

export const restartLimitSchema = z.strictObject({
  count: z.number().int().min(1).max(100),
  within: durationText,
});

/** How it is looked; what a node needs to know to do it. */
export const probeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('tcp'), host: z.string(), port: z.number().int() }),
  z.object({
    kind: z.literal('http'),
    /** `http:` or `https:`, with an address for a host. */
    url: z.string(),
    /** Null: anything from 200 to 399. */
    status: z.number().nullable(),
    contains: z.string().nullable(),
  }),
  z.object({ kind: z.literal('process'), process: z.string() }),
  z.object({ kind: z.literal('service'), unit: z.string() }),
  z.object({ kind: z.literal('ping'), address: z.string() }),
  z.object({ kind: z.literal('interface'), interface: z.string() }),
  z.object({ kind: z.literal('mount'), path: z.string() }),
  z.object({
    kind: z.literal('disk'),
    path: z.string(),
    freePercentMin: z.number().nullable(),
    latencyMsMax: z.number().nullable(),
  }),
  /** Program and arguments: no shell takes part. */
  z.object({ kind: z.literal('script'), argv: z.array(z.string()).min(1) }),
  z.object({ kind: z.literal('module'), module: z.string() }),
  z.object({
    kind: z.literal('vm'),
    /** Name in libvirt, or else the sockets of QEMU itself. */
    domain: z.string().nullable(),
    monitor: z.string().nullable(),
    guestAgent: z.string().nullable(),
  }),
]);
export type CheckerProbe = z.infer<typeof probeSchema>;
export type ProbeOf<K extends CheckerProbe['kind']> = Extract<CheckerProbe, { kind: K }>;

export const checkerDefinitionSchema = z.object({
  /** Unique in its module, for people: `tcp 5432`. */
  name: z.string(),
  probe: probeSchema,
  intervalMs: z.number().int().positive(),
  timeoutMs: z.number().int().positive(),
  /** In a row, before anything follows. */
  failures: z.number().int().positive(),
  action: z.enum(checkerActions),
  /** After the application has started failures do not count for so long, or until the first success. */
  gracePeriodMs: z.number().int().min(0),
});
export type CheckerDefinition = z.infer<typeof checkerDefinitionSchema>;

/** What a look has found. `code` says it in any language, `found` is the bare fact that belongs to it: `503`, `Connection refused`. */
export const findingCodes = [
  'good',
  /** The look itself was not possible (a program is missing): it says nothing about the application, and counts for nothing. */
  'not-checked',
  'refused',
  'unreachable',
  'no-answer',
  'broken-answer',
  'wrong-status',
  'text-missing',
  'not-running',
  'service-not-active',
  'link-down',
  'interface-missing',
  'not-mounted',
  'path-missing',
  'space-low',
  'disk-slow',
  'exit-code',
  /** Of a virtual machine that QEMU says is running. */
  'guest-silent',
  'guest-hung',
] as const;
export type FindingCode = (typeof findingCodes)[number];
export interface Finding {
  readonly code: FindingCode;
  readonly found: string;
  /** The end of what a script printed. */
  readonly output?: string;
}

/** In `status`: how each checker stands on the node that runs the application. */
export const checkerStatusSchema = z.object({
  name: z.string(),
  action: z.enum(checkerActions),
  /** `unknown`: has not looked since the application started; `failed`: as often as it takes for its action. */
  state: z.enum(['unknown', 'good', 'failing', 'failed']),
  /** In a row. */
  failures: z.number().int(),
  finding: z.enum(findingCodes).nullable(),
  found: z.string(),
  output: z.string().optional(),
});
export type CheckerStatus = z.infer<typeof checkerStatusSchema>;

/** What an entry means that leaves them out. */
export const checkerDefaults = { intervalMs: 5000, timeoutMs: 5000, failures: 3, gracePeriodMs: 60_000 } as const;

/** Where another start would not help, none is tried: the application is well, and what it needs is not. */
export const checkerDefaultActions: Readonly<Record<CheckerKind, CheckerAction>> = {
  tcp: 'restart',
  http: 'restart',
  https: 'restart',
  process: 'restart',
  service: 'restart',
  script: 'restart',
  ping: 'failover',
  interface: 'failover',
  mount: 'failover',
  disk: 'none',
  module: 'wait',
  vm: 'restart',
};

export const restartLimitDefault = { count: 3, windowMs: 24 * 3_600_000 } as const;
