import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { Fault } from '../contract/index.ts';
import { ArpSocket } from '../sys/packet-socket.ts';
import { announcementFrames, conflictsWith, parseArp, probeFrame } from './arp.ts';
import type { CommandRunner } from './command-runner.ts';
import { mustRun } from './command-runner.ts';
import { inSubnet } from './ipv4.ts';
import type { Vip, VipDriver } from './vip.ts';

/**
 * RFC 5227 probes for seconds; a failover cannot. A host on the same link answers within a few milliseconds, three probes cover a
 * lost frame, and a conflict that shows later is still reported by the other host's own detection.
 */
const probeCount = 3;
const probeIntervalMs = 70;
/** Repeated because a switch that is learning its ports after a link change drops frames for a while. */
const announcementDelaysMs = [0, 100, 300, 1000, 3000];

const linksSchema = z.array(
  z.object({
    ifindex: z.number(),
    ifname: z.string(),
    address: z.string().optional(),
    flags: z.array(z.string()).default([]),
    addr_info: z
      .array(
        z.object({ family: z.string().optional(), local: z.string().optional(), prefixlen: z.number().optional() }),
      )
      .default([]),
  }),
);
export interface Link {
  readonly index: number;
  readonly name: string;
  readonly mac: string;
  readonly loopback: boolean;
  readonly addresses: readonly { readonly address: string; readonly prefixLength: number }[];
}

export const listLinksCommand = ['ip', '-json', '-4', 'address', 'show'] as const;

export function parseLinks(stdout: string): readonly Link[] {
  // Interfaces without an IPv4 address come as empty objects from some versions of iproute2.
  const json = (JSON.parse(stdout === '' ? '[]' : stdout) as unknown[]).filter(
    (one) => typeof one === 'object' && one !== null && 'ifname' in one,
  );
  return linksSchema.parse(json).map((link) => ({
    index: link.ifindex,
    name: link.ifname,
    mac: link.address ?? '',
    loopback: link.flags.includes('LOOPBACK'),
    addresses: link.addr_info.flatMap((one) =>
      one.local === undefined ? [] : [{ address: one.local, prefixLength: one.prefixlen ?? 32 }],
    ),
  }));
}

export const linkCommand = (name: string): readonly string[] => ['ip', '-json', 'address', 'show', 'dev', name];

export function addAddressCommand(vip: Vip, interfaceName: string): readonly string[] {
  return ['ip', 'address', 'add', `${vip.address}/${vip.prefixLength}`, 'dev', interfaceName];
}
export function deleteAddressCommand(address: string, prefixLength: number, interfaceName: string): readonly string[] {
  return ['ip', 'address', 'del', `${address}/${prefixLength}`, 'dev', interfaceName];
}

/** The named interface, or the one with another address in the subnet of the VIP. */
export function interfaceFor(vip: Vip, links: readonly Link[]): string | null {
  if (vip.interface !== null) return vip.interface;
  const link = links.find((one) =>
    one.addresses.some(
      ({ address }) => address !== vip.address && inSubnet(address, vip.address, vip.prefixLength) && !one.loopback,
    ),
  );
  return link?.name ?? null;
}

export function linuxVipDriver(run: CommandRunner): VipDriver {
  const announcements = new Map<string, AbortController>();

  async function links(): Promise<readonly Link[]> {
    return parseLinks(await mustRun(run, listLinksCommand));
  }
  function placeOf(address: string, all: readonly Link[]) {
    return all.flatMap((link) =>
      link.addresses.filter((one) => one.address === address).map((one) => ({ link, prefixLength: one.prefixLength })),
    );
  }

  async function drop(address: string): Promise<void> {
    announcements.get(address)?.abort();
    for (const { link, prefixLength } of placeOf(address, await links())) {
      const result = await run(deleteAddressCommand(address, prefixLength, link.name));
      // Gone meanwhile, with its interface or by another hand: what was wanted.
      if (result.code !== 0 && placeOf(address, await links()).length > 0)
        throw new Fault(
          'vip-not-dropped',
          { message: `The address ${address} could not be removed: ${result.stderr.trim()}` },
          { address },
        );
    }
  }

  async function raise(vip: Vip, stillHeld: () => boolean, signal: AbortSignal): Promise<void> {
    const all = await links();
    const place = placeOf(vip.address, all)[0];
    const name = place?.link.name ?? interfaceFor(vip, all);
    if (name === null)
      throw new Fault(
        'vip-no-interface',
        {
          message: `No network interface of this server has an address in the subnet of ${vip.address}/${vip.prefixLength}.`,
          remedy: 'Name the interface in the configuration (interface:), or correct the address.',
        },
        { address: vip.address },
      );
    const link = parseLinks(await mustRun(run, linkCommand(name)))[0];
    if (link === undefined) throw new Fault('vip-no-interface', { message: `There is no interface ${name}.` });
    if (place === undefined) {
      await checkUnused(vip.address, link, signal);
      await mustRun(run, addAddressCommand(vip, name));
    }
    announcements.get(vip.address)?.abort();
    const controller = new AbortController();
    announcements.set(vip.address, controller);
    void announce(vip.address, link, stillHeld, controller.signal);
  }

  return { raise, drop, present: async (address) => placeOf(address, await links()).length > 0 };
}

/** Fault `vip-already-used`. */
async function checkUnused(address: string, link: Link, signal: AbortSignal): Promise<void> {
  using socket = new ArpSocket(link.index);
  for (let probe = 0; probe < probeCount; probe++) {
    socket.send(probeFrame(link.mac, address));
    await delay(probeIntervalMs, undefined, { signal });
    for (const frame of socket.waiting()) {
      const packet = parseArp(frame);
      if (packet !== null && conflictsWith(packet, address, link.mac))
        throw new Fault(
          'vip-already-used',
          {
            message: `Another machine (${packet.senderMac}) answers for the address ${address}.`,
            remedy: 'Choose a free address, or remove it from that machine.',
          },
          { address, answeredBy: packet.senderMac },
        );
    }
  }
}

async function announce(address: string, link: Link, stillHeld: () => boolean, signal: AbortSignal): Promise<void> {
  let passedMs = 0;
  for (const atMs of announcementDelaysMs) {
    try {
      await delay(atMs - passedMs, undefined, { signal });
      passedMs = atMs;
      // Past the packet filter: an announcement without the right to the address would take it from its new owner.
      if (!stillHeld()) continue;
      using socket = new ArpSocket(link.index);
      for (const frame of announcementFrames(link.mac, address)) socket.send(frame);
    } catch {
      // Aborted, or the interface is down: its neighbours will ask by themselves when it is back.
      return;
    }
  }
}
