/** `holdfast daemon`: the runtime on this host, under the service manager. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { createChecker } from '../checkers/index.ts';
import { Fault } from '../contract/index.ts';
import { commandRunner, createFence, createVipDriver, mustRun, openEchoPort, openUdpPort } from '../network/index.ts';
import {
  ApplicationGroups,
  hasSystemd,
  KnownApplications,
  linuxScriptRunner,
  unifiedHierarchy,
} from '../scripts/index.ts';
import { bootId } from '../sys/boot-id.ts';
import { connectLines, listenLines } from '../sys/line-port.ts';
import { bootTimeMs } from '../sys/process.ts';
import { notifyServiceManager, watchdogIntervalMs } from '../sys/service-manager.ts';
import { agentVersion } from '../version.ts';
import { fileConfigurationStore, loadNodeName } from './configuration-store.ts';
import { serveControl } from './control.ts';
import type { FileEventStore } from './event-store.ts';
import { fileEventStore } from './event-store.ts';
import { hostGoesDown, processTimers, resetHost } from './host.ts';
import { processJournal } from './journal.ts';
import { fileModuleStore } from './module-store.ts';
import { controlSocket, directories, replicatorSocket } from './places.ts';
import type { Journal, RuntimePorts } from './ports.ts';
import { replicatorConnection } from './replicator-connection.ts';
import { hostRescue } from './rescue.ts';
import { Runtime } from './runtime.ts';

const handoverPatienceMs = 60_000;
const exitBroken = 70;
const boundOutputsMs = 10_000;
/** It answers within milliseconds; a plan does not wait for one that hangs. */
const serviceManagerMs = 2000;

export async function daemonMain(): Promise<void> {
  const journal = processJournal();
  process.on('uncaughtException', (error) => {
    journal.error(`An unexpected error ends this process: ${error.stack ?? error.message}`);
    process.exit(exitBroken);
  });
  mkdirSync(directories.run, { recursive: true, mode: 0o700 });
  const ports = await hostPorts(journal);
  const runtime = new Runtime(ports);
  const run = commandRunner();
  using _server = await listenLines(controlSocket, (port) => serveControl({ runtime, ports, run }, port));
  await runtime.start();
  notifyServiceManager('READY=1');
  using _watchdog = feedWatchdog(runtime);
  using _bounding = ports.timers.every(boundOutputsMs, () => void ports.scripts.boundOutputs());
  journal.info(`holdfastd ${agentVersion} runs on ${ports.node}.`);
  const signal = await ended();
  notifyServiceManager('STOPPING=1');
  if (await hostGoesDown(run)) {
    journal.info('This host goes down: the applications are handed over.');
    await runtime.leaveForShutdown(handoverPatienceMs);
  } else journal.info(`Ends on ${signal}; the applications run on.`);
  runtime.stop();
  await ports.events.settled();
  process.exit(0);
}

async function hostPorts(journal: Journal): Promise<RuntimePorts & { readonly events: FileEventStore }> {
  const node = await loadNodeName(directories.configuration);
  const clock = { bootMs: bootTimeMs, wallMs: Date.now };
  const timers = processTimers;
  const run = commandRunner();
  const hierarchy = unifiedHierarchy();
  return {
    node,
    agentVersion,
    bootId: bootId(),
    clock,
    timers,
    randomId: () => randomBytes(8).toString('hex'),
    journal,
    modules: fileModuleStore(path.join(directories.state, 'modules')),
    events: await fileEventStore({
      file: path.join(directories.state, 'events.jsonl'),
      node,
      wallMs: clock.wallMs,
      failed: (error) => journal.warning(`The timeline cannot be written: ${Fault.from(error).message}`),
    }),
    configuration: fileConfigurationStore(directories.configuration),
    openDatagrams: openUdpPort,
    openEcho: openEchoPort,
    fence: createFence(run, clock.bootMs, hierarchy === null ? 'control groups version 2 are not mounted' : null),
    vip: createVipDriver(run),
    scripts: linuxScriptRunner({
      directory: path.join(directories.state, 'runs'),
      wallMs: clock.wallMs,
      systemdRun: hasSystemd(),
      groups: new ApplicationGroups({
        run: (argv) => mustRun(run, argv, { timeoutMs: serviceManagerMs }),
        known: new KnownApplications(path.join(directories.run, 'applications')),
        hierarchy,
      }),
    }),
    checkers: createChecker,
    replicator: replicatorConnection({
      connect: () => connectLines(replicatorSocket),
      timers,
      nowMs: clock.bootMs,
      journal,
      programVersion: agentVersion,
    }),
    rescue: hostRescue(timers, run),
    reset: (because) => resetHost(journal, because),
    halt(because) {
      journal.error(`Stops because an invariant does not hold: ${because}`);
      process.exit(exitBroken);
    },
  };
}

function feedWatchdog(runtime: Runtime): Disposable {
  const intervalMs = watchdogIntervalMs();
  if (intervalMs === null) return { [Symbol.dispose]: () => undefined };
  return processTimers.every(intervalMs / 3, () => {
    if (runtime.healthy()) notifyServiceManager('WATCHDOG=1');
  });
}

async function ended(): Promise<NodeJS.Signals> {
  return await new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}
