/** The text of a configuration file → a valid configuration, or every problem with its line and column. Pure. */
import type { Document, Node, YAMLError } from 'yaml';
import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { configurationSchema, type Configuration } from '../../agent/contract/configuration.ts';
import { findLaterFeatures } from './later.ts';
import { configurationFault, type ConfigurationProblem, type ProblemAt } from './problem.ts';
import { findBrokenRules } from './rules.ts';

export type ParsedConfiguration =
  | { readonly configuration: Configuration; readonly problems: readonly [] }
  | { readonly configuration: null; readonly problems: readonly ConfigurationProblem[] };

/** A file of more than this is not a configuration: somebody gave the wrong file. */
const textLengthMax = 1024 * 1024;

/** Faults: the code of the first problem, see `configurationFault`. */
export function parseConfiguration(text: string, file: string): Configuration {
  const { configuration, problems } = checkConfiguration(text);
  if (configuration === null) throw configurationFault(file, problems);
  return configuration;
}

export function checkConfiguration(text: string): ParsedConfiguration {
  const refused = (problems: readonly ConfigurationProblem[]): ParsedConfiguration => ({
    configuration: null,
    problems: [...problems].sort((a, b) => a.line - b.line || a.column - b.column),
  });
  if (text.length > textLengthMax || text.includes('\0')) {
    return refused([
      {
        code: 'configuration-not-text',
        message: 'This is not a configuration file.',
        remedy: 'Give the YAML file that describes the cluster.',
        line: 1,
        column: 1,
      },
    ]);
  }
  // Editors on Windows: a byte order mark and CRLF are taken as they come; positions stay those of the file.
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const lines = new LineCounter();
  const document = parseDocument(source.replaceAll('\r\n', ' \n'), {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    merge: false,
  });
  if (document.errors.length > 0) {
    return refused(document.errors.map((error) => syntaxProblem(error, lines, source)));
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  const place = (at: ProblemAt): ConfigurationProblem => ({
    code: at.code,
    ...(at.reason === undefined ? {} : { reason: at.reason, facts: at.facts ?? {} }),
    message: at.message,
    remedy: at.remedy,
    ...positionOf(document, lines, at),
  });
  if (value === null || typeof value !== 'object') {
    const message = value === null ? 'The file is empty.' : 'The file holds no configuration.';
    return refused([
      {
        code: 'configuration-wrong-value',
        message,
        remedy: 'Begin with `version: 1` and `cluster: name`.',
        line: 1,
        column: 1,
      },
    ]);
  }
  const found = checkValue(value);
  return found.configuration === null ? refused(found.problems.map(place)) : found;
}

export type CheckedValue =
  | { readonly configuration: Configuration; readonly problems: readonly [] }
  | { readonly configuration: null; readonly problems: readonly ProblemAt[] };

/** What a file holds, whoever read it. */
export function checkValue(value: unknown): CheckedValue {
  const later = findLaterFeatures(value);
  const parsed = configurationSchema.safeParse(value);
  if (!parsed.success) {
    const schemaProblems = parsed.error.issues.flatMap((issue) =>
      valueAt(value, issue.path) === undefined ? [missing(plainPath(issue.path))] : schemaProblem(issue),
    );
    const beyondLater = schemaProblems.filter((problem) => !later.some((named) => covers(named.path, problem.path)));
    const told = beyondLater.map((problem) => ({ ...problem, ...reasonOf(problem, value) }));
    return { configuration: null, problems: [...later, ...told] };
  }
  const problems = [...later, ...findBrokenRules(parsed.data)];
  return problems.length > 0 ? { configuration: null, problems } : { configuration: parsed.data, problems: [] };
}

const reasons: Readonly<Record<string, string>> = {
  cluster: 'name-invalid',
  name: 'name-invalid',
  prefer: 'name-invalid',
  dependsOn: 'name-invalid',
  ssh: 'destination-invalid',
  port: 'port-invalid',
  subnet: 'subnet-invalid',
  vip: 'address-invalid',
  path: 'path-not-absolute',
  detection: 'duration-invalid',
  timeout: 'duration-invalid',
  interval: 'duration-invalid',
  gracePeriod: 'duration-invalid',
  within: 'duration-invalid',
  mount: 'path-not-absolute',
  tcp: 'checker-port',
  ping: 'checker-ping',
  service: 'checker-service',
  status: 'checker-status',
  failures: 'checker-failures',
  freePercentMin: 'checker-percent',
  latencyMsMax: 'checker-latency',
  domain: 'checker-domain',
  monitor: 'checker-socket',
  guestAgent: 'checker-socket',
};

/** Of what the schema does not take: the key says which kind of value it is. */
function reasonOf(problem: ProblemAt, root: unknown): Pick<ProblemAt, 'reason' | 'facts'> {
  if (problem.code !== 'configuration-wrong-value') return {};
  const key = [...problem.path].reverse().find((part) => typeof part === 'string') ?? '';
  const value = valueAt(root, problem.path);
  const plain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return { reason: reasons[key] ?? 'value-invalid', facts: plain ? { value: String(value) } : {} };
}

/** Something refused by name explains every complaint of the schema about it; `kind: farm` about its whole module. */
function covers(named: readonly PropertyKey[], path: readonly PropertyKey[]): boolean {
  const root = named.at(-1) === 'kind' || named.at(-1) === 'ping' ? named.slice(0, -1) : named;
  return root.every((key, index) => path[index] === key);
}

function syntaxProblem(error: YAMLError, lines: LineCounter, text: string): ConfigurationProblem {
  const { line, col } = lines.linePos(error.pos[0]);
  const base = { line: Math.max(1, line), column: Math.max(1, col) };
  const tab = /^[ ]*\t/.test(text.split('\n')[base.line - 1] ?? '');
  if (error.code === 'TAB_AS_INDENT' || tab) {
    return {
      ...base,
      code: 'configuration-tab',
      message: 'A tab stands where spaces must.',
      remedy: 'Indent with spaces only.',
    };
  }
  if (error.code === 'DUPLICATE_KEY') {
    return {
      ...base,
      code: 'configuration-duplicate-key',
      message: 'This key stands twice in the same place.',
      remedy: 'Remove one of the two.',
    };
  }
  return {
    ...base,
    code: 'configuration-syntax',
    message: `This is not YAML: ${error.message.split('\n')[0] ?? ''}`,
    remedy: 'Look at the indentation, the quotes and the brackets of this line and the one before.',
  };
}

type Issue = z.core.$ZodIssue;

function plainPath(path: readonly PropertyKey[]): (string | number)[] {
  return path.map((key) => (typeof key === 'symbol' ? String(key) : key));
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    root,
  );
}

function schemaProblem(issue: Issue): ProblemAt[] {
  const path = plainPath(issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        code: 'configuration-unknown-key',
        message: `\`${key}\` is not known here.`,
        remedy: knownKeysText(path),
        path: [...path, key],
        atKey: true,
      }));
    case 'invalid_union': {
      const branches = issue.errors.map((errors) => errors.flatMap(schemaProblem));
      // The branch that got furthest is the one that was meant.
      const best = branches.sort((a, b) => depth(b) - depth(a))[0] ?? [];
      if (best.length > 0 && depth(best) > 0) {
        return best.map((inner) => ({ ...inner, path: [...path, ...inner.path] }));
      }
      return [wrongValue(path, unionRemedy(path))];
    }
    case 'invalid_type':
      return [wrongValue(path, path.at(-1) === 'vm' ? machineRemedy : `Write ${typeName(issue.expected)}.`)];
    case 'invalid_value':
      return [wrongValue(path, `Write ${issue.values.map((value) => `\`${String(value)}\``).join(' or ')}.`)];
    case 'too_small':
    case 'too_big':
      if (issue.origin === 'array') return [wrongValue(path, sentence(arrayWords(path, issue.message)))];
      return [wrongValue(path, sentence(issue.message))];
    default:
      return [wrongValue(path, sentence(issue.message))];
  }
}

function depth(problems: readonly ProblemAt[]): number {
  return problems.reduce((most, problem) => Math.max(most, problem.path.length), 0);
}

function sentence(words: string): string {
  const text = words.charAt(0).toUpperCase() + words.slice(1);
  return text.endsWith('.') ? text : `${text}.`;
}

function arrayWords(path: readonly (string | number)[], words: string): string {
  if (path.at(-1) === 'nodes') return 'a mirror cluster has exactly two nodes: write two';
  return words.startsWith('Too') ? 'write at least one' : words;
}

const machineRemedy = 'Write `{ domain: NAME }` or `{ monitor: /run/vm/qmp.sock }`.';

function unionRemedy(path: readonly (string | number)[]): string {
  switch (path.at(-1)) {
    case 'witness':
      return 'Write `{ ssh: user@host }`, `{ ping: 10.0.0.1 }` or `none`.';
    case 'tcp':
      return 'Write a port such as 5432, or an address with a port such as 10.0.0.50:5432.';
    case 'vip':
      return 'Write an address with its prefix length, such as 10.0.0.50/24, or a list of them.';
    default:
      return 'Write a command, or `{ command: …, timeout: 60s }`.';
  }
}

function typeName(expected: string): string {
  const names: Record<string, string> = {
    string: 'a text',
    number: 'a number',
    boolean: '`true` or `false`',
    array: 'a list',
    object: 'keys with values',
  };
  return names[expected] ?? expected;
}

function wrongValue(path: readonly (string | number)[], remedy: string): ProblemAt {
  const name = [...path].reverse().find((key) => typeof key === 'string');
  return {
    code: 'configuration-wrong-value',
    message: name === undefined ? 'This value cannot be used.' : `This value of \`${name}\` cannot be used.`,
    remedy,
    path,
  };
}

function missing(path: readonly (string | number)[]): ProblemAt {
  const key = String(path.at(-1) ?? '');
  return { code: 'configuration-missing-key', message: `\`${key}\` is missing.`, remedy: `Add \`${key}:\`.`, path };
}

const keysAt: Readonly<Record<string, string>> = {
  '': 'version, cluster, nodes, networks, witness, withoutWitness, detection, modules',
  nodes: 'name, ssh, port, sudo',
  networks: 'name, subnet',
  witness: 'ssh, port, sudo; or ping',
  modules:
    'name, kind, prefer, failback, dependsOn, replicate, acknowledge, cache, vip, interface, prestart, start, stop, poststop, forceStop, transition, checkers, restartLimit',
  replicate: 'path',
  checkers:
    'tcp, http, https, process, service, ping, interface, mount, disk, script, module, vm; interval, timeout, failures, action, gracePeriod; status, contains',
  disk: 'path, freePercentMin, latencyMsMax',
  vm: 'domain; or monitor, guestAgent',
  restartLimit: 'count, within',
};

function knownKeysText(path: readonly (string | number)[]): string {
  const name = [...path].reverse().find((key) => typeof key === 'string') ?? '';
  return `Known here: ${keysAt[name] ?? 'command, timeout'}.`;
}

/** The place of the value; of the key when asked for, or when there is no value; of the nearest parent when there is neither. */
function positionOf(document: Document, lines: LineCounter, at: ProblemAt): { line: number; column: number } {
  let path = [...at.path];
  let wantKey = at.atKey === true;
  for (;;) {
    const offset = offsetOf(document, path, wantKey);
    if (offset !== null) {
      const { line, col } = lines.linePos(offset);
      return { line: Math.max(1, line), column: Math.max(1, col) };
    }
    if (path.length === 0) return { line: 1, column: 1 };
    path = path.slice(0, -1);
    wantKey = false;
  }
}

function offsetOf(document: Document, path: readonly (string | number)[], wantKey: boolean): number | null {
  const last = path.at(-1);
  if (wantKey && typeof last === 'string') {
    const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
    if (!isMap(parent)) return null;
    const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === last);
    return pair && isNode(pair.key) ? startOf(pair.key) : null;
  }
  const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  return isNode(node) ? startOf(node) : null;
}

function startOf(node: Node): number | null {
  return node.range?.[0] ?? null;
}
