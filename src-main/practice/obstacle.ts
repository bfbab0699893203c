/** Can the practice cluster stand on this machine? If not, why, and what enables it. It is shown greyed with the reason, never hidden. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Practice } from '../app-api/index.ts';

export type Obstacle = NonNullable<Practice['obstacle']>;

export interface PracticeMachine {
  readonly platform: NodeJS.Platform;
  readonly isRoot: boolean;
  /** Its servers are made with Debian's own tools. */
  readonly hasDebianPackaging: boolean;
  /** Servers have disks of their own. */
  readonly hasLoopDevices: boolean;
  readonly environment: Readonly<NodeJS.ProcessEnv>;
}

export function thisMachine(): PracticeMachine {
  return {
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    hasDebianPackaging: existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg-query'),
    hasLoopDevices: existsSync('/dev/loop-control'),
    environment: process.env,
  };
}

/** What sudo sets PATH to on Debian and Ubuntu. */
const sudoPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/snap/bin'];

/**
 * The line that runs an npm command as root. A Node of the user's own (nvm, a folder in his home) is not on root's PATH; and who logged in
 * as root may have no sudo.
 */
export function rootLine(npmCommand: string, machine: Pick<PracticeMachine, 'isRoot' | 'environment'>): string {
  const { isRoot, environment } = machine;
  if (isRoot && environment['SUDO_USER'] === undefined) return npmCommand;
  const node = environment['npm_node_execpath'];
  const found = isRoot || node === undefined || sudoPath.includes(path.posix.dirname(node));
  return found ? `sudo ${npmCommand}` : `sudo env "PATH=$PATH" ${npmCommand}`;
}

/** `labCommand`: null when this is not a checkout. `npmCommand`: what the person would have to start as root. */
export function practiceObstacle(
  machine: PracticeMachine,
  labCommand: readonly string[] | null,
  npmCommand = 'npm start',
): Obstacle | null {
  if (machine.platform !== 'linux') {
    return {
      code: 'practice-needs-linux',
      message: 'The practice cluster needs Linux: its servers share the kernel of this machine.',
      remedy: 'Run Holdfast on a Debian or Ubuntu machine, a virtual one will do.',
    };
  }
  if (labCommand === null) {
    return {
      code: 'practice-needs-checkout',
      message: 'The practice cluster is made by tools that are not in the installed app.',
      remedy: `Run Holdfast from its source: ${rootLine(npmCommand, machine)}`,
    };
  }
  if (!machine.hasDebianPackaging) {
    return {
      code: 'practice-needs-debian',
      message: 'The practice cluster needs Debian or Ubuntu: its servers are made with their tools (apt, debootstrap).',
      remedy: 'Run Holdfast on a Debian or Ubuntu machine, a virtual one will do.',
    };
  }
  if (!machine.isRoot) {
    return {
      code: 'practice-needs-root',
      message:
        'The practice cluster needs root: its servers have network interfaces, disks and a power switch of their own.',
      remedy: rootLine(npmCommand, machine),
    };
  }
  if (!machine.hasLoopDevices) {
    return {
      code: 'practice-needs-loop-devices',
      message: 'The practice cluster needs loop devices, for the disks of its servers; this machine has none.',
      remedy: 'modprobe loop   (inside a container: give it /dev/loop-control and the loop devices)',
    };
  }
  return null;
}
