/** A filesystem of one's own in an image file, and a served directory on it beside a plain one. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeHolder, unmountIfUnused } from '../../../agent/fuse/index.ts';
import type { CacheMode } from '../../../agent/fuse/index.ts';
import { diskHome } from '../../lab/suite-disks.ts';

const shutdownProgram = fileURLToPath(new URL('../../lab/shutdown-filesystem.ts', import.meta.url));
export type DiskType = 'ext4' | 'xfs' | 'btrfs';

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

function mountedBelow(path: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((mountPoint) => mountPoint === path || mountPoint.startsWith(`${path}/`))
    .reverse();
}

function removeAll(directory: string): void {
  for (const mountPoint of mountedBelow(directory)) spawnSync('umount', ['-l', mountPoint]);
  rmSync(directory, { recursive: true, force: true });
}

export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

/** What the machine lacks for these tests; empty when it can run them. */
export function missingForFilesystemTests(): string {
  if (process.getuid?.() !== 0) return 'not root';
  if (!existsSync('/dev/fuse')) return 'no /dev/fuse';
  if (!hasProgram('mkfs.ext4')) return 'mkfs.ext4 is missing';
  if (spawnSync('losetup', ['-f']).status !== 0) return 'no loop device';
  return '';
}

export class LoopDisk {
  /** Where the filesystem is mounted. */
  readonly root: string;
  readonly #directory: string;
  readonly #image: string;

  /** `quotas`: of users, ext4 only; throws on kernels without them. */
  constructor(name: string, type: DiskType = 'ext4', megabytes = 512, quotas = false) {
    this.#directory = join(diskHome, name);
    removeAll(this.#directory);
    this.root = join(this.#directory, 'disk');
    mkdirSync(this.root, { recursive: true });
    const image = (this.#image = join(this.#directory, 'image'));
    run('truncate', '-s', `${megabytes}M`, image);
    const quotaOptions = quotas ? ['-O', 'quota', '-E', 'quotatype=usrquota'] : [];
    run(`mkfs.${type}`, '-q', type === 'ext4' ? '-F' : '-f', ...quotaOptions, image);
    this.#mount(quotas ? 'loop,usrquota' : 'loop');
  }

  #mount(options: string): void {
    run('mount', '-o', options, this.#image, this.root);
    // As every mount is under systemd: what other suites start meanwhile with mounts of its own follows, and holds no door open.
    run('mount', '--make-shared', this.root);
  }

  directory(name: string): string {
    const path = join(this.root, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** The filesystem stops at once, as in a power cut: nothing more is written, not even its log. */
  cutPower(): void {
    run(process.execPath, '--disable-warning=ExperimentalWarning', shutdownProgram, this.root);
  }

  /** After `cutPower`: what a new mount finds, of a copy of the image. */
  recovered(): string {
    const [image, root] = [join(this.#directory, 'recovered-image'), join(this.#directory, 'recovered')];
    run('cp', '--sparse=always', this.#image, image);
    mkdirSync(root);
    run('mount', '-o', 'loop', image, root);
    return root;
  }

  /** After `cutPower`: what had reached the disk, at its old place. Throws while anybody uses it. */
  mountAgain(): void {
    for (const mountPoint of mountedBelow(this.root)) run('umount', mountPoint);
    // As long as a process that is ending, or a mount namespace of another suite, holds the filesystem that was cut off, that one would be mounted once more.
    const { stdout } = spawnSync('losetup', ['-j', this.#image], { encoding: 'utf8' });
    if (stdout !== '') throw new Error(`${this.root} is held by somebody: ${stdout}`);
    this.#mount('loop');
  }

  dispose(): void {
    removeAll(this.#directory);
  }
}

export class ServedDirectory {
  readonly path: string;
  readonly #process: ChildProcess;
  #output = '';

  private constructor(path: string, process: ChildProcess) {
    this.path = path;
    this.#process = process;
  }

  /** `copy`: where every change is repeated. */
  static async start(path: string, cache: CacheMode, copy: string): Promise<ServedDirectory> {
    const server = fileURLToPath(new URL('server.ts', import.meta.url));
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', server, path, cache, copy], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const served = new ServedDirectory(path, child);
    await new Promise<void>((resolve, reject) => {
      const hear = (text: Buffer): void => {
        served.#output += text.toString();
        if (served.#output.includes('mounted')) resolve();
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('exit', (code) => {
        reject(new Error(`server ended with ${code}: ${served.#output}`));
      });
    });
    return served;
  }

  /** What the server has said: an unexpected line is a failure. */
  get output(): string {
    return this.#output;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  async ended(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    await new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
  }

  async stop(): Promise<void> {
    const { signalCode } = this.#process;
    if (signalCode !== null) throw new Error(`the server was ended by ${signalCode}: ${this.#output}`);
    const holders = unmountIfUnused(this.path);
    if (holders.length > 0) {
      spawnSync('umount', ['-l', this.path]);
      throw new Error(`${this.path} is in use: ${holders.map(describeHolder).join(', ')}`);
    }
    await this.ended();
  }
}
