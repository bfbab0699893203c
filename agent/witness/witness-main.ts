/** `holdfast witness serve`. */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Fault, ports } from '../contract/index.ts';
import { openUdpPort } from '../network/index.ts';
import type { Endpoint } from '../network/index.ts';
import { processTimers } from '../runtime/host.ts';
import { processJournal } from '../runtime/journal.ts';
import { bootTimeMs } from '../sys/process.ts';
import { notifyServiceManager, watchdogIntervalMs } from '../sys/service-manager.ts';
import { agentVersion } from '../version.ts';
import { Secrets } from './secrets.ts';
import { fileWitnessStore } from './witness-store.ts';
import { Witness } from './witness.ts';

const bindAgainMs = 1000;

/** 'ADDRESS:PORT'. Fault: wrong-usage. */
export function parseListen(text: string): Endpoint {
  const match = /^(\d+\.\d+\.\d+\.\d+):(\d+)$/.exec(text);
  if (match?.[1] === undefined)
    throw new Fault('wrong-usage', { message: `--listen wants ADDRESS:PORT, not "${text}".` });
  return { address: match[1], port: Number(match[2]) };
}

export async function witnessMain(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      state: { type: 'string', default: '/var/lib/holdfast/witness' },
      secrets: { type: 'string', default: '/etc/holdfast/witness' },
      listen: { type: 'string', default: `0.0.0.0:${ports.witness}` },
    },
  });
  const journal = processJournal();
  const listen = parseListen(values.listen);
  const secrets = new Secrets(values.secrets, bootTimeMs, (fault) => journal.warning(fault.message));
  secrets.read();
  const witness = await Witness.start(
    {
      secrets,
      store: fileWitnessStore(values.state),
      open: openUdpPort,
      nowMs: bootTimeMs,
      session: randomBytes(8).toString('hex'),
      journal,
    },
    listen,
  );
  process.on('SIGHUP', () => secrets.read());
  await becomeBound(witness, () =>
    journal.notice(`${values.listen} cannot be used yet: not an address of this machine, or taken.`),
  );
  using _rebind = processTimers.every(bindAgainMs, () => void witness.ensureBound());
  using _watchdog = processTimers.every((watchdogIntervalMs() ?? 60_000) / 3, () => {
    notifyServiceManager('WATCHDOG=1');
  });
  notifyServiceManager('READY=1');
  journal.info(`Witness ${agentVersion} listens on ${values.listen} for ${secrets.clusters} cluster(s).`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  notifyServiceManager('STOPPING=1');
  witness[Symbol.dispose]();
  process.exit(0);
}

async function becomeBound(witness: Witness, complain: () => void): Promise<void> {
  for (let tries = 0; !witness.ensureBound(); tries++) {
    if (tries === 10) complain();
    await processTimers.delay(tries < 10 ? 50 : bindAgainMs);
  }
}
