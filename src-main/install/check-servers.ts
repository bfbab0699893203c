/** The checks alone, for whoever wants to know before anything is installed. */
import type { Configuration } from '../../agent/contract/configuration.ts';
import { runChecks, type Check, type ProbedMachine } from './checks.ts';
import { connectAll, machinesOf, probeHost, type Connect } from './machines.ts';

export async function checkServers(options: {
  readonly configuration: Configuration;
  readonly connect: Connect;
  readonly signal?: AbortSignal | undefined;
}): Promise<Check[]> {
  const { configuration, signal } = options;
  const machines = machinesOf(configuration);
  const transports = await connectAll(machines, options.connect, signal);
  try {
    const questions = {
      directories: configuration.modules.flatMap((module) => module.replicate.map(({ path }) => path)),
      vips: configuration.modules.flatMap((module) => [module.vip].flat()).map((vip) => vip.split('/')[0] ?? vip),
    };
    const probed: ProbedMachine[] = [];
    await Promise.all(
      machines.map(async ({ name, role }) => {
        const transport = transports.get(name);
        if (!transport) return;
        const asked = role === 'node' ? questions : { directories: [], vips: [] };
        probed.push({ name, role, ...(await probeHost(name, transport, asked, signal)) });
      }),
    );
    probed.sort(
      (a, b) => machines.findIndex((one) => one.name === a.name) - machines.findIndex((one) => one.name === b.name),
    );
    return runChecks(probed, configuration, []);
  } finally {
    for (const transport of transports.values()) transport.close();
  }
}
