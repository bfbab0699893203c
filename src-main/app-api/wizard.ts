/** The two-server wizard: answers that survive the app, what the servers say to them, and the installation. */
import { z } from 'zod';
import { checkerActions, checkerKinds, faultRecordSchema } from '../../agent/contract/index.ts';
import { machineSchema, serverFactsSchema } from './servers.ts';

/** The questions, in their order. */
export const wizardSteps = [
  'servers',
  'fingerprints',
  'checks',
  'application',
  'data',
  'address',
  'checkers',
  'networks',
  'safety',
  'preferred',
  'review',
  'install',
  'sync',
] as const;
export type WizardStep = (typeof wizardSteps)[number];

/** A draft has one module: nothing that another one could be. */
export const wizardCheckerKinds = checkerKinds.filter((kind) => kind !== 'module');
export type WizardCheckerKind = (typeof wizardCheckerKinds)[number];

/** As typed; '' in what may be left out means the default of the configuration file. */
export const checkerAnswerSchema = z.object({
  kind: z.enum(wizardCheckerKinds),
  /** What is looked at, as the file has it: `5432`, `10.0.0.50:5432`, a URL, a unit, an address, a directory … */
  target: z.string(),
  /** Of http and https: '' for 200 to 399, '' for any text. */
  status: z.string(),
  contains: z.string(),
  /** Of disk: '' for not asked. */
  freePercentMin: z.string(),
  latencyMsMax: z.string(),
  /** Of vm with a monitor: the socket of its guest agent. Drafts of before there was one have none. */
  guestAgent: z.string().default(''),
  /** Seconds, or a duration as the file has it. */
  interval: z.string(),
  timeout: z.string(),
  gracePeriod: z.string(),
  failures: z.string(),
  action: z.enum(checkerActions),
});
export type CheckerAnswer = z.infer<typeof checkerAnswerSchema>;

/** As typed, so also what is not valid yet: nothing that was typed is lost. Null: not answered. */
export const answersSchema = z.object({
  cluster: z.string(),
  nodes: z.array(z.object({ name: z.string(), machine: machineSchema, facts: serverFactsSchema.nullable() })).length(2),
  application: z.object({
    /** Module name. */
    name: z.string(),
    /** The systemd unit it was made from; null: written by hand. */
    service: z.string().nullable(),
    directories: z.array(z.string()),
    start: z.string(),
    stop: z.string(),
    /** Seconds. */
    startTimeout: z.number().int(),
    stopTimeout: z.number().int(),
  }),
  /** Node name; null: not decided. */
  goodNode: z.string().nullable(),
  /** `10.0.0.50/24`; '' : none. */
  vip: z.string(),
  interface: z.string().nullable(),
  /** Drafts of before there were any have none. */
  checkers: z.array(checkerAnswerSchema).default([]),
  /** `proposal`: untouched, so it follows the other answers. */
  checkersBy: z.enum(['nobody', 'proposal', 'person']).default('nobody'),
  /** Null: the one network that both servers share and SSH came in on. In order of preference for replication. */
  networks: z.array(z.object({ name: z.string(), subnet: z.string() })).nullable(),
  witness: z.object({
    kind: z.enum(['none', 'ping', 'voting']),
    machine: machineSchema,
    facts: serverFactsSchema.nullable(),
    /** The address that answers pings, where that is the kind. */
    ping: z.string().optional(),
  }),
  withoutWitness: z.enum(['prefer-one-copy', 'prefer-availability']),
  /** Milliseconds. */
  detectionMs: z.number().int(),
  prefer: z.string().nullable(),
  failback: z.enum(['manual', 'automatic']),
});
export type Answers = z.infer<typeof answersSchema>;

export const draftSchema = z.object({
  id: z.string(),
  /** Grows with every save: two windows on one draft do not overwrite each other. */
  revision: z.number().int(),
  updatedAt: z.iso.datetime(),
  /** Where the person was. */
  step: z.enum(wizardSteps),
  /** For the practice cluster. */
  practice: z.boolean(),
  answers: answersSchema,
});
export type Draft = z.infer<typeof draftSchema>;

const factsSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]));

export const checkSchema = z.object({
  /** kebab-case; the screen words it from here, with `facts`. */
  code: z.string(),
  /** Node name, 'witness', or null for the cluster as a whole. */
  host: z.string().nullable(),
  ok: z.boolean(),
  /** Ok, but worth knowing. */
  attention: z.boolean(),
  /** English, as the command line says it; for codes that a screen does not know. */
  title: z.string(),
  what: z.string(),
  why: z.string(),
  remedy: z.string(),
  facts: factsSchema,
});
export type CheckResult = z.infer<typeof checkSchema>;

export const detectedServiceSchema = z.object({
  /** `postgresql@15-main.service` */
  unit: z.string(),
  description: z.string(),
  /** What it is, where it is known: postgresql, mariadb, mysql, apache, nginx, docker …; null: unknown. */
  product: z.string().nullable(),
  /** By node name. */
  on: z.array(z.object({ node: z.string(), active: z.boolean(), enabled: z.boolean() })),
  /** TCP ports it listens on. */
  ports: z.array(z.number()),
  /** Where it listens: at a virtual IP answers only who listens everywhere. */
  listeners: z.array(z.object({ port: z.number(), at: z.enum(['everywhere', 'loopback', 'one-address']) })),
  /** Directories that it seems to keep its data in, likeliest first. */
  directories: z.array(z.object({ path: z.string(), bytes: z.number().nullable() })),
});
export type DetectedService = z.infer<typeof detectedServiceSchema>;

export const copySchema = z.object({
  node: z.string(),
  path: z.string(),
  exists: z.boolean(),
  empty: z.boolean(),
  files: z.number().nullable(),
  bytes: z.number().nullable(),
  newestFile: z.object({ path: z.string(), at: z.iso.datetime() }).nullable(),
  /** What the data says of itself, such as the content of PG_VERSION: "PostgreSQL 15". */
  version: z.string().nullable(),
  /** Counting was stopped at a limit: at least as many. */
  atLeast: z.boolean(),
});
export type Copy = z.infer<typeof copySchema>;

export const answerProblemSchema = z.object({
  /** Where in the answers: `nodes.0.name`, `application.directories.0`, `vip`. */
  path: z.string(),
  code: z.string(),
  /** English. */
  message: z.string(),
  remedy: z.string(),
  facts: factsSchema,
});
export type AnswerProblem = z.infer<typeof answerProblemSchema>;

export const plannedStepSchema = z.object({
  id: z.string(),
  host: z.string().nullable(),
  /** What is done, for the screen to word: upload-runtime, make-keys, configure, initialise, start … */
  kind: z.string(),
  facts: factsSchema,
  /** English. */
  title: z.string(),
});

/** Where an installation stands; also of one that was cut off, from what the last app wrote down. */
export const installationSchema = z.object({
  draft: z.string(),
  state: z.enum(['running', 'failed', 'interrupted', 'done']),
  steps: z.array(
    plannedStepSchema.extend({
      state: z.enum(['waiting', 'running', 'done', 'failed']),
      doneBytes: z.number().nullable(),
      totalBytes: z.number().nullable(),
      startedAt: z.iso.datetime().nullable(),
      endedAt: z.iso.datetime().nullable(),
      /** English: "What stood there is kept at …". */
      note: z.string().nullable(),
    }),
  ),
  fault: faultRecordSchema.nullable(),
  /** `node:path` of what stood in the directories of the other server before. */
  keptAt: z.array(z.string()),
  /** Known to this laptop under this id, from the moment that servers were changed. */
  cluster: z.string().nullable(),
  startedAt: z.iso.datetime(),
});
export type Installation = z.infer<typeof installationSchema>;

const ofDraft = z.object({ draft: z.string() });
const given = z.object({ answers: answersSchema });

export const wizardMethods = {
  /** Begun and not finished, newest first. */
  drafts: { params: z.object({}), result: z.array(draftSchema) },
  createDraft: { params: z.object({}), result: draftSchema },
  readDraft: { params: ofDraft, result: draftSchema },
  /** Fault: draft-changed-elsewhere (read it again). */
  saveDraft: {
    params: z.object({
      draft: z.string(),
      revision: z.number().int(),
      step: z.enum(wizardSteps),
      answers: answersSchema,
    }),
    result: z.object({ revision: z.number().int() }),
  },
  removeDraft: { params: ofDraft, result: z.null() },
  /** What is wrong with the answers, everything at once; pure, at every key stroke. Only what has been typed is complained about. */
  validate: { params: given, result: z.array(answerProblemSchema) },
  /** The checks on all servers, side by side. Faults: as connectServer, with details.node. */
  checkServers: { params: given, result: z.array(checkSchema) },
  /** What runs there. Faults: as connectServer. */
  services: { params: given, result: z.array(detectedServiceSchema) },
  /** Subdirectories of a directory of one node, with sizes where cheap. */
  browse: {
    params: z.object({ answers: answersSchema, node: z.string(), path: z.string() }),
    result: z.array(z.object({ path: z.string(), entries: z.number().nullable() })),
  },
  /** What stands in the chosen directories, on both nodes, so that a person can decide which is the good copy. */
  copies: { params: given, result: z.array(copySchema) },
  /** Networks that both nodes are on; interfaces and free addresses for the virtual IP. */
  suggestions: {
    params: given,
    result: z.object({
      networks: z.array(
        z.object({
          name: z.string(),
          subnet: z.string(),
          /** In the order of the nodes. */
          addresses: z.array(z.string()),
          interfaces: z.array(z.string()),
          /** SSH came in on it. */
          ssh: z.boolean(),
        }),
      ),
      /** With prefix length; not answering when it was looked. Null: none found. */
      vip: z.string().nullable(),
    }),
  },
  /** Does anybody answer there already? Looked from both nodes. */
  addressInUse: {
    params: z.object({ answers: answersSchema, address: z.string() }),
    result: z.object({ by: z.string().nullable(), inUse: z.boolean() }),
  },
  /** The answers as a configuration file; what is missing or wrong is listed, and then there is no text. */
  compose: {
    params: given,
    result: z.object({ text: z.string().nullable(), problems: z.array(answerProblemSchema) }),
  },
  /** What an installation would do now. Faults: those of apply. */
  plan: { params: given, result: z.array(plannedStepSchema) },
  /** Begins or goes on; returns at once, `installation` tells. Fault: installation-running, answers-incomplete. */
  install: { params: ofDraft, result: installationSchema },
  /** Ends after the step that is running. */
  cancelInstallation: { params: ofDraft, result: z.null() },
  installation: { params: ofDraft, result: installationSchema.nullable() },
} as const;

export const wizardEvents = {
  installation: installationSchema,
  /** Created, saved elsewhere or removed. */
  drafts: z.array(draftSchema),
} as const;
