/** `npm run lab -- VERB …` */
import { once } from 'node:events';

import { parseArgs } from 'node:util';
import { Fault } from '../../agent/contract/fault.ts';
import { networkNames } from './description.ts';
import type { NetworkName } from './description.ts';
import { defaultLabName, Lab } from './lab.ts';
import { exitStatus, start } from './process.ts';

const usage = `usage: npm run lab -- VERB … [--name LAB]
  up [--nodes 2] [--witness] [--layer L]… [--networks 2] [--data-size MIB] [--json]
  exec HOST [--user U] -- CMD…        client -- CMD…        ssh HOST [-- CMD…]
  poweroff|start|freeze|thaw HOST     poweroff loses unsynced data
  cut|heal HOST [--network lan|sync]  the cable of one host
  cut A B [--one-way]                 between two hosts only (one way: from A to B); heal A B
  bandwidth HOST 10mbit|off           loss HOST 30|off
  status [--json]                     down`;

class UsageError extends Error {}

// What stands behind `--` belongs to the command that is to be run, whatever it looks like.
const given = process.argv.slice(2);
const dashes = given.includes('--') ? given.indexOf('--') : given.length;

function parsed() {
  try {
    return parseArgs({
      args: given.slice(0, dashes),
      allowPositionals: true,
      options: {
        name: { type: 'string', default: process.env['HOLDFAST_LAB'] ?? defaultLabName },
        nodes: { type: 'string', default: '2' },
        witness: { type: 'boolean', default: false },
        layer: { type: 'string', multiple: true, default: [] },
        networks: { type: 'string', default: '1' },
        'data-size': { type: 'string' },
        network: { type: 'string' },
        user: { type: 'string' },
        'one-way': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    process.stderr.write(`lab: ${(error as Error).message}\n${usage}\n`);
    process.exit(2);
  }
}

const { values, positionals } = parsed();
const [verb, first, second] = positionals;
// `exec n1 uname` means the same as `exec n1 -- uname`.
const command = [...positionals.slice(verb === 'client' ? 1 : 2), ...given.slice(dashes + 1)];

function required(value: string | undefined, what: string): string {
  if (value === undefined) throw new UsageError(`${what} is missing`);
  return value;
}

function wholeNumber(text: string, what: string): number {
  if (!/^\d+$/.test(text)) throw new UsageError(`${what}: "${text}" is not a number`);
  return Number(text);
}

function network(): NetworkName | undefined {
  if (values.network === undefined) return undefined;
  const known = networkNames.find((name) => name === values.network);
  if (known === undefined) throw new UsageError(`there is no network "${values.network}"`);
  return known;
}

async function up(): Promise<number> {
  const networks = wholeNumber(values.networks, '--networks');
  if (networks !== 1 && networks !== 2) throw new UsageError('--networks is 1 or 2');
  const size = values['data-size'];
  const lab = await Lab.up({
    name: values.name,
    nodes: wholeNumber(values.nodes, '--nodes'),
    witness: values.witness,
    layers: values.layer,
    networks,
    onStep: (step) => process.stderr.write(`lab: ${step}\n`),
    ...(size === undefined ? {} : { dataBytesMax: wholeNumber(size, '--data-size') * 1024 ** 2 }),
  });
  if (values.json) {
    process.stdout.write(`${JSON.stringify(lab.summary())}\n`);
  } else {
    for (const host of lab.hosts)
      process.stdout.write(`${host.name} is up: ssh -F ${lab.sshConfigPath} ${host.name}\n`);
  }
  return 0;
}

async function inForeground(argv: readonly string[]): Promise<number> {
  const child = start(argv, { stdio: 'inherit' });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return exitStatus(code, signal);
}

function status(lab: Lab): number {
  const faults = lab.faults();
  const hosts = lab.hosts.map((host) => ({
    name: host.name,
    address: host.address(),
    state: host.state(),
    unplugged: faults.unplugged.filter((cable) => cable.host === host.name).map((cable) => cable.network),
  }));
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ hosts, faults, sshConfig: lab.sshConfigPath })}\n`);
    return 0;
  }
  for (const host of hosts) {
    const cables = host.unplugged.length > 0 ? `  unplugged: ${host.unplugged.join(', ')}` : '';
    process.stdout.write(`${host.name.padEnd(8)}${host.address.padEnd(14)}${host.state}${cables}\n`);
  }
  for (const { from, to, network: net } of faults.blocked) process.stdout.write(`cut ${from} -> ${to} (${net})\n`);
  for (const [name, percent] of Object.entries(faults.lossPercent)) process.stdout.write(`loss ${name} ${percent} %\n`);
  for (const [name, rate] of Object.entries(faults.bandwidth)) process.stdout.write(`bandwidth ${name} ${rate}\n`);
  return 0;
}

async function onHost(lab: Lab): Promise<void> {
  const host = lab.host(required(first, 'the host'));
  switch (verb) {
    case 'poweroff':
      return host.poweroff();
    case 'start':
      return host.start();
    case 'freeze':
      return host.freeze();
    case 'thaw':
      return host.thaw();
    case 'cut':
      return host.cut(network());
    case 'heal':
      return host.heal(network());
    case 'bandwidth': {
      const rate = required(second, 'the bandwidth');
      return host.bandwidth(rate === 'off' ? undefined : rate);
    }
    case 'loss': {
      const percent = required(second, 'the percentage');
      return host.loss(percent === 'off' ? 0 : wholeNumber(percent, 'loss'));
    }
    default:
      throw new UsageError(`unknown verb "${String(verb)}"`);
  }
}

async function perform(): Promise<number> {
  if (values.help || verb === undefined) {
    process.stdout.write(`${usage}\n`);
    return values.help ? 0 : 2;
  }
  if (verb === 'up') return up();
  if (verb === 'down') {
    await Lab.remove(values.name);
    return 0;
  }
  const lab = Lab.open(values.name);
  if (verb === 'status') return status(lab);
  if ((verb === 'client' || verb === 'exec') && command.length === 0) throw new UsageError('the command is missing');
  if (verb === 'client') return inForeground(lab.client.enterCommand(command));
  if (verb === 'exec') return inForeground(lab.host(required(first, 'the host')).enterCommand(command, values.user));
  if (verb === 'ssh') {
    return inForeground(['ssh', '-F', lab.sshConfigPath, lab.host(required(first, 'the host')).name, ...command]);
  }
  if ((verb === 'cut' || verb === 'heal') && first !== undefined && second !== undefined) {
    const on = network();
    const where = on === undefined ? {} : { network: on };
    if (verb === 'cut') await lab.cut(first, second, { oneWay: values['one-way'], ...where });
    else await lab.heal(first, second, where);
    return 0;
  }
  await onHost(lab);
  return 0;
}

try {
  process.exitCode = await perform();
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`lab: ${error.message}\n${usage}\n`);
    process.exitCode = 2;
  } else {
    const fault = Fault.from(error);
    process.stderr.write(`lab: ${fault.message}\n${fault.remedy === '' ? '' : `     ${fault.remedy}\n`}`);
    if (!(error instanceof Fault) && error instanceof Error) process.stderr.write(`${String(error.stack)}\n`);
    process.exitCode = 1;
  }
}
