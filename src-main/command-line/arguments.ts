/** Words and flags of a command. Pure. What is not understood is wrong usage, never ignored. */
import { parseArgs } from 'node:util';
import { durationMs } from '../../agent/contract/configuration.ts';
import { Fault } from '../../agent/contract/fault.ts';

const options = {
  json: { type: 'boolean' },
  yes: { type: 'boolean' },
  wait: { type: 'boolean' },
  timeout: { type: 'string' },
  cluster: { type: 'string' },
  identity: { type: 'string' },
  'accept-host-key': { type: 'string', multiple: true },
  plan: { type: 'boolean' },
  good: { type: 'string' },
  'replace-record': { type: 'boolean' },
  servers: { type: 'boolean' },
  follow: { type: 'boolean' },
  node: { type: 'string' },
  lines: { type: 'string' },
  'accept-data-loss': { type: 'boolean' },
  repair: { type: 'boolean' },
  estimate: { type: 'boolean' },
  files: { type: 'boolean' },
  show: { type: 'boolean' },
  stop: { type: 'boolean' },
  to: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;
type FlagName = keyof typeof options;

export interface Arguments {
  readonly command: string;
  readonly words: readonly string[];
  readonly json: boolean;
  readonly yes: boolean;
  readonly wait: boolean;
  readonly timeoutMs: number | null;
  readonly clusterFile: string | undefined;
  readonly identity: string | undefined;
  readonly acceptedHostKeys: readonly string[];
  readonly plan: boolean;
  readonly good: string | null;
  readonly replaceRecord: boolean;
  readonly servers: boolean;
  readonly follow: boolean;
  readonly node: string | null;
  readonly lines: number;
  readonly acceptDataLoss: boolean;
  readonly repair: boolean;
  readonly estimate: boolean;
  readonly files: boolean;
  readonly show: boolean;
  readonly stop: boolean;
  readonly to: string | null;
  readonly help: boolean;
}

interface CommandShape {
  readonly usage: string;
  readonly what: string;
  /** Words after the command; `wordsMax`: at most, where it may be more. */
  readonly words: number;
  readonly wordsMax?: number;
  readonly flags: readonly FlagName[];
}

const everywhere: readonly FlagName[] = [
  'json',
  'yes',
  'wait',
  'timeout',
  'cluster',
  'identity',
  'accept-host-key',
  'help',
];

export const commands: Readonly<Record<string, CommandShape>> = {
  apply: {
    usage: 'apply FILE [--plan] [--good NODE] [--replace-record]',
    what: 'install, set up, upgrade: make the servers as the file says',
    words: 1,
    flags: ['plan', 'good', 'replace-record'],
  },
  check: {
    usage: 'check FILE [--servers]',
    what: 'look for errors in the file, and on the servers',
    words: 1,
    flags: ['servers'],
  },
  config: { usage: 'config show', what: 'show the configuration of the cluster', words: 1, flags: [] },
  status: { usage: 'status', what: 'is the data protected?', words: 0, flags: [] },
  events: {
    usage: 'events [--follow] [--node NODE] [--lines N]',
    what: 'what happened, and why',
    words: 0,
    flags: ['follow', 'node', 'lines'],
  },
  logs: { usage: 'logs [--node NODE] [--lines N]', what: 'journal of the agents', words: 0, flags: ['node', 'lines'] },
  start: { usage: 'start MODULE', what: 'start the module on both servers', words: 1, flags: [] },
  stop: { usage: 'stop MODULE', what: 'stop the application on both servers', words: 1, flags: [] },
  restart: { usage: 'restart MODULE', what: 'restart the application where it runs', words: 1, flags: [] },
  swap: { usage: 'swap MODULE', what: 'move the application to the other server', words: 1, flags: [] },
  maintenance: {
    usage: 'maintenance on|off MODULE',
    what: 'suspend or resume automatic failover',
    words: 2,
    flags: [],
  },
  promote: {
    usage: 'promote MODULE --node NODE --accept-data-loss',
    what: 'use the copy of this server although it may lack changes',
    words: 1,
    flags: ['node', 'accept-data-loss'],
  },
  verify: {
    usage: 'verify MODULE [--estimate | --repair | --show | --stop]',
    what: 'compare both copies beside the application',
    words: 1,
    flags: ['estimate', 'repair', 'show', 'stop'],
  },
  resync: {
    usage: 'resync MODULE --estimate [--files]',
    what: 'how much a server that comes back has to be compared with',
    words: 1,
    flags: ['estimate', 'files'],
  },
  fork: {
    usage: 'fork list|show|keep|restore|discard MODULE [ID] [PATH] [--node NODE] [--to DIRECTORY]',
    what: 'choose whose version is kept; look at what was set aside, bring it back',
    words: 2,
    wordsMax: 4,
    flags: ['node', 'to', 'lines'],
  },
  uninstall: { usage: 'uninstall', what: 'take Holdfast off the servers; the data stays', words: 0, flags: [] },
  witness: { usage: 'witness serve', what: 'run the witness (on the third machine, by systemd)', words: 1, flags: [] },
};

/** Known by name, so that nobody takes them for a typing error. */
export const laterCommands: readonly string[] = [
  'drill',
  'support-bundle',
  'upgrade',
  'farm',
  'vm',
  'library',
  'serve',
];

export function usage(only?: string): string {
  const shown = Object.entries(commands).filter(([name]) => only === undefined || name === only);
  const width = Math.max(...shown.map(([, shape]) => shape.usage.length));
  const lines = shown.map(([, shape]) => `  holdfast ${shape.usage.padEnd(width)}  ${shape.what}`);
  return `${lines.join('\n')}
Everywhere: --json  --yes  --wait  --timeout 60s  --cluster FILE  --identity KEY  --accept-host-key FINGERPRINT`;
}

function wrongUsage(message: string, command?: string): Fault {
  return new Fault('wrong-usage', { message, remedy: `\n${usage(command)}` });
}

function readDuration(text: string | undefined, command: string): number | null {
  if (text === undefined) return null;
  try {
    return durationMs(text);
  } catch {
    throw wrongUsage(`--timeout ${text} is not a time; write 500ms, 60s, 2m or 1h.`, command);
  }
}

/** Faults: wrong-usage, not-in-this-version. */
export function parseArguments(argv: readonly string[]): Arguments {
  let parsed;
  try {
    parsed = parseArgs({ args: [...argv], allowPositionals: true, options, tokens: true });
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error);
    throw wrongUsage(`${message}.`);
  }
  const { values, positionals, tokens } = parsed;
  const [command = '', ...words] = positionals;
  const help = values.help === true || command === 'help';
  if (laterCommands.includes(command)) {
    throw new Fault(
      'not-in-this-version',
      { message: `\`holdfast ${command}\` is not in this version of Holdfast.` },
      { command },
    );
  }
  const shape = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (!shape && !help) throw wrongUsage(command === '' ? 'What is to be done?' : `There is no command ${command}.`);
  if (shape && !help) {
    for (const token of tokens) {
      if (token.kind !== 'option') continue;
      const name = token.name;
      if (!everywhere.includes(name) && !shape.flags.includes(name)) {
        throw wrongUsage(`\`holdfast ${command}\` does not know --${name}.`, command);
      }
    }
    if (words.length < shape.words || words.length > (shape.wordsMax ?? shape.words)) {
      throw wrongUsage(words.length < shape.words ? 'Something is missing.' : 'There is a word too many.', command);
    }
  }
  const lines = Number(values.lines ?? '200');
  if (!Number.isInteger(lines) || lines < 1)
    throw wrongUsage(`--lines ${values.lines ?? ''} is not a number.`, command);
  return {
    command,
    words,
    json: values.json ?? false,
    yes: values.yes ?? false,
    wait: values.wait ?? false,
    timeoutMs: readDuration(values.timeout, command),
    clusterFile: values.cluster,
    identity: values.identity,
    acceptedHostKeys: values['accept-host-key'] ?? [],
    plan: values.plan ?? false,
    good: values.good ?? null,
    replaceRecord: values['replace-record'] ?? false,
    servers: values.servers ?? false,
    follow: values.follow ?? false,
    node: values.node ?? null,
    lines,
    acceptDataLoss: values['accept-data-loss'] ?? false,
    repair: values.repair ?? false,
    estimate: values.estimate ?? false,
    files: values.files ?? false,
    show: values.show ?? false,
    stop: values.stop ?? false,
    to: values.to ?? null,
    help,
  };
}
