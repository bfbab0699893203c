/** apply, check, config, uninstall: what needs the laptop. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { Fault } from '../../agent/contract/fault.ts';
import {
  chooseCluster,
  ClusterSession,
  connectFromHere,
  forgetCluster,
  readConfigurationFile,
  rememberCluster,
  type ChosenCluster,
} from '../cluster/index.ts';
import {
  applyCluster,
  checkServers,
  prepareAgent,
  programFiles,
  programVersion,
  uninstallCluster,
  type Check,
  type Connect,
  type InstallEvent,
} from '../install/index.ts';
import { environmentSecrets, firstOf, remembering, type SecretRequest, type SecretSource } from '../secrets/index.ts';
import { waitFor } from './module-commands.ts';
import { progressText } from './progress.ts';
import type { Surroundings } from './run.ts';
import { confirm, type Terminal } from './terminal.ts';
import { statusText, table } from './text.ts';

const protectedTimeoutMs = 3_600_000;

function questionText(request: SecretRequest): string {
  switch (request.kind) {
    case 'ssh-password':
      return `Password of ${request.user} on ${request.host}: `;
    case 'sudo-password':
      return `Password of ${request.user} for sudo on ${request.host}: `;
    case 'key-passphrase':
      return `Passphrase of ${request.file}: `;
  }
}

function terminalSecrets(terminal: Terminal): SecretSource {
  return {
    get: (request, attempt) => {
      if (attempt > 1) terminal.err('That was not accepted.\n');
      return terminal.askSecret(questionText(request));
    },
  };
}

/** Passwords from the environment, else asked for; host keys of unknown servers shown and asked about. */
export function connectFor({ args, terminal }: Surroundings): Connect {
  if (args.identity !== undefined && !existsSync(args.identity.replace(/^~(?=\/)/, homedir()))) {
    throw new Fault(
      'identity-missing',
      { message: `There is no key ${args.identity}.`, remedy: 'Give the path of the private key: --identity FILE' },
      { file: args.identity },
    );
  }
  return connectFromHere({
    secrets: remembering(firstOf(environmentSecrets(process.env), terminalSecrets(terminal))),
    identity: args.identity,
    acceptedHostKeys: args.acceptedHostKeys,
    // --yes answers questions about what is to be done, never the question who answers there.
    askHostKey: terminal.interactive
      ? async (question) => {
          const answer = await terminal.ask(
            `${question.host} has not been seen before. Its host key (${question.type}) is\n  ${question.fingerprint}\nIs that right? [yes/no] `,
          );
          return answer?.trim().toLowerCase() === 'yes';
        }
      : null,
  });
}

function checksText(checks: readonly Check[]): string {
  const sign = (check: Check): string => (check.ok ? (check.attention ? '▲' : '●') : '■');
  return table(checks.map((check) => [`${sign(check)} ${check.host ?? ''}`, check.title, check.what]));
}

function reporter({ args, terminal }: Surroundings): (event: InstallEvent) => void {
  const say = progressText(terminal);
  return (event) => {
    if (args.json) return;
    say(event);
  };
}

export async function applyCommand(surroundings: Surroundings): Promise<number> {
  const { args, terminal, signal } = surroundings;
  const [file = ''] = args.words;
  const chosen = await readConfigurationFile(file);
  const { packages, resourcesDirectory } = programFiles();
  await prepareAgent(packages);
  const connect = connectFor(surroundings);
  const report = reporter(surroundings);
  // Before anything is changed: after an installation that failed, `status` and `logs` are what is wanted next. Not before the
  // servers were looked at: a file that was refused must not become the cluster that they speak of.
  let remembered: Promise<unknown> = Promise.resolve();
  const outcome = await applyCluster({
    configuration: chosen.configuration,
    connect,
    packages,
    resourcesDirectory,
    programVersion: programVersion(),
    good: args.good,
    replaceRecord: args.replaceRecord,
    planOnly: args.plan,
    signal,
    onEvent: (event) => {
      if (event.kind === 'planned' && !args.plan) {
        remembered = rememberCluster(chosen.configuration, chosen.file, chosen.text);
        remembered.catch(() => undefined);
      }
      report(event);
    },
  });
  await remembered;
  if (args.plan) {
    if (args.json) terminal.out(`${JSON.stringify({ changed: false, steps: outcome.steps })}\n`);
    else if (outcome.steps.length === 0) terminal.out('Nothing to do: the servers are as the file says.\n');
    else {
      terminal.out(`This would be done:\n${table(outcome.steps.map((step) => [step.title]))}Nothing was changed.\n`);
    }
    return 0;
  }
  for (const place of outcome.keptAt) terminal.err(`What stood in the directory before is kept at ${place}.\n`);
  const summary = { changed: outcome.changed, steps: outcome.steps, keptAt: outcome.keptAt };
  if (!args.wait) {
    if (args.json) terminal.out(`${JSON.stringify(summary)}\n`);
    else
      terminal.out(
        outcome.changed
          ? 'Done. The modules are being started.\n'
          : 'Nothing to do: the servers are as the file says.\n',
      );
    return 0;
  }
  await using access = session(chosen, connect, signal);
  const status = await waitFor(
    { args, terminal, signal, access },
    'Protection',
    (one) => one.protected,
    protectedTimeoutMs,
  );
  if (args.json) terminal.out(`${JSON.stringify({ ...summary, status })}\n`);
  else {
    if (!outcome.changed) terminal.out('Nothing to do: the servers are as the file says.\n');
    terminal.out(statusText(status));
  }
  return 0;
}

function session(chosen: ChosenCluster, connect: Connect, signal: AbortSignal): ClusterSession {
  return new ClusterSession({
    configuration: chosen.configuration,
    connect,
    programVersion: programVersion(),
    signal,
  });
}

export async function openSession(surroundings: Surroundings): Promise<ClusterSession> {
  const chosen = await chooseCluster(surroundings.args.clusterFile);
  return session(chosen, connectFor(surroundings), surroundings.signal);
}

export async function checkCommand(surroundings: Surroundings): Promise<number> {
  const { args, terminal, signal } = surroundings;
  const [file = ''] = args.words;
  const { configuration } = await readConfigurationFile(file);
  if (!args.servers) {
    if (args.json) terminal.out(`${JSON.stringify({ ok: true })}\n`);
    else terminal.out(`${file} is in order.\n`);
    return 0;
  }
  const { packages } = programFiles();
  await prepareAgent(packages);
  const checks = await checkServers({ configuration, connect: connectFor(surroundings), packages, signal });
  const ok = checks.every((check) => check.ok);
  if (args.json) terminal.out(`${JSON.stringify({ ok, checks })}\n`);
  else terminal.out(checksText(checks));
  for (const check of checks) {
    if (!check.ok || check.attention)
      terminal.err(`${check.host ?? configuration.cluster}: ${check.what}. ${check.why} ${check.remedy}\n`);
  }
  return ok ? 0 : 1;
}

export async function configCommand(surroundings: Surroundings): Promise<number> {
  const { args, terminal } = surroundings;
  if (args.words[0] !== 'show') throw new Fault('wrong-usage', { message: 'usage: holdfast config show' });
  const chosen = await chooseCluster(args.clusterFile);
  terminal.out(args.json ? `${JSON.stringify(chosen.configuration)}\n` : chosen.text);
  return 0;
}

export async function uninstallCommand(surroundings: Surroundings): Promise<number> {
  const { args, terminal, signal } = surroundings;
  const chosen = await chooseCluster(args.clusterFile);
  const { cluster, nodes, modules } = chosen.configuration;
  const question =
    `Take Holdfast off ${nodes.map((node) => node.name).join(' and ')} (cluster ${cluster})? ` +
    `The application of ${modules.map((module) => module.name).join(', ')} is stopped on both servers. The data stays.`;
  if (!(await confirm(terminal, question, args.yes))) {
    terminal.err('Nothing was changed.\n');
    return 1;
  }
  const { removedFrom } = await uninstallCluster({
    configuration: chosen.configuration,
    connect: connectFor(surroundings),
    programVersion: programVersion(),
    signal,
    onEvent: reporter(surroundings),
  });
  await forgetCluster(chosen.configuration, chosen.file);
  const text =
    removedFrom.length === 0
      ? 'Holdfast was on none of the servers.'
      : `Holdfast is gone from ${removedFrom.join(', ')}. The data is where it was.`;
  terminal.out(args.json ? `${JSON.stringify({ removedFrom })}\n` : `${text}\n`);
  return 0;
}

export async function witnessCommand(): Promise<number> {
  throw new Fault('wrong-usage', {
    message: '`holdfast witness serve` runs on the witness itself, started by systemd.',
    remedy: 'Write `witness: { ssh: user@host }` into the configuration and apply it.',
  });
}
