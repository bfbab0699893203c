/** Checkers that read what the kernel itself tells. Nothing here touches a filesystem that could hang. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import type { Finding, ProbeOf } from '../contract/index.ts';
import type { Checker } from './checker.ts';
import { good } from './checker.ts';
import type { MachineSurroundings } from './vm.ts';

/** The kernel keeps so many bytes of a program's name. */
const nameBytesMax = 15;

/** `/proc/PID/stat`: the name stands in brackets and may hold brackets itself. */
export function parseStat(text: string): { readonly name: string; readonly state: string } {
  const end = text.lastIndexOf(')');
  return { name: text.slice(text.indexOf('(') + 1, end), state: text.slice(end + 2, end + 3) };
}

export function isProcess(stat: string, wanted: string): boolean {
  const { name, state } = parseStat(stat);
  const ended = state === 'Z' || state === 'X';
  return !ended && name === Buffer.from(wanted).subarray(0, nameBytesMax).toString('utf8');
}

export function processChecker({ process: wanted }: ProbeOf<'process'>, proc = '/proc'): Checker {
  return {
    async look(signal) {
      for (const pid of (await readdir(proc)).filter((name) => /^\d+$/.test(name))) {
        if (signal.aborted) return { code: 'no-answer', found: '' };
        const stat = await readFile(path.join(proc, pid, 'stat'), 'utf8').catch(() => '');
        if (stat !== '' && isProcess(stat, wanted)) return good;
      }
      return { code: 'not-running', found: '' };
    },
  };
}

/** `unknown` is what devices say that know no link: loopback, tunnels. */
export function judgeLink(operstate: string): Finding {
  const state = operstate.trim();
  return state === 'up' || state === 'unknown' ? good : { code: 'link-down', found: state };
}
export function interfaceChecker({ interface: name }: ProbeOf<'interface'>, net = '/sys/class/net'): Checker {
  return {
    async look() {
      const state = await readFile(path.join(net, name, 'operstate'), 'utf8').catch(() => null);
      return state === null ? { code: 'interface-missing', found: '' } : judgeLink(state);
    },
  };
}

/** `/proc/self/mountinfo`: the type of the file system below a path; the last mount on a place is the one that is seen. */
export function filesystemTypeOf(mountinfo: string, wanted: string): string {
  const types = mountinfo.split('\n').map((line) => /^.* - (\S+) /.exec(line)?.[1] ?? '');
  let best = { at: '', type: '' };
  mountPoints(mountinfo).forEach((at, index) => {
    const above = at === '/' || wanted === at || wanted.startsWith(`${at}/`);
    if (at !== '' && above && at.length >= best.at.length) best = { at, type: types[index] ?? '' };
  });
  return best.type;
}
/** Of this machine. A number that belongs to a container means another thread here: it has to be one of QEMU. */
export const machineSurroundings: MachineSurroundings = {
  filesystemOf: async (wanted) => filesystemTypeOf(await readFile('/proc/self/mountinfo', 'utf8'), wanted),
  schedule: async (thread) => {
    const program = await readlink(`/proc/${thread}/exe`).catch(() => '');
    if (!/^(qemu|kvm)/.test(path.basename(program))) return null;
    return (await readFile(`/proc/${thread}/schedstat`, 'utf8').catch(() => null))?.trim() ?? null;
  },
  nowMs: () => performance.now(),
};

/** `/proc/self/mountinfo`: the fifth field, with blanks and backslashes written as octal numbers. */
export function mountPoints(mountinfo: string): readonly string[] {
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .map((field) => field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))));
}
export async function isMounted(directory: string): Promise<boolean> {
  return mountPoints(await readFile('/proc/self/mountinfo', 'utf8')).includes(directory);
}
