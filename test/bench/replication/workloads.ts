/** What is measured, and the floors it has to keep: beside GlusterFS, and beside the limit (the twin, or the bare directory for what only reads). */
import { writeFileSync } from 'node:fs';
import type { Host } from '../../lab/index.ts';
import { fio } from './fio.ts';
import { transactionsPerSecond } from './pgbench.ts';

export interface Workload {
  readonly name: string;
  readonly words: string;
  readonly unit: '/s' | 'MB/s';
  /** The rate of one end of a place. Every round begins with caches as the workload wants them. */
  readonly rate: (host: Host, directory: string) => Promise<number>;
  readonly limit: 'twin' | 'bare' | null;
  readonly glusterfsFloor: number;
  readonly limitFloor: number | null;
}

const seconds = 4;
const timed = ['--time_based', `--runtime=${seconds}`];
/** Laid out before the clock runs, as a database lays out its files. */
const laidOut = ['--size=64m', '--overwrite=1'];

async function operations(host: Host, directory: string, ...words: string[]): Promise<number> {
  return (await fio(host, directory, words)).operationsPerSecond;
}
async function megabytes(host: Host, directory: string, ...words: string[]): Promise<number> {
  return (await fio(host, directory, words)).bytesPerSecond / 1e6;
}

/** The page cache is the machine's: lab hosts share it. */
function dropCaches(): void {
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}

function synchronous(name: string, words: string, fioWords: readonly string[], jobs: number): Workload {
  return {
    name: `${name}-${jobs}`,
    words: `${words}, ${jobs} ${jobs === 1 ? 'job' : 'jobs'}`,
    unit: '/s',
    rate: async (host, directory) =>
      operations(host, directory, ...fioWords, ...laidOut, ...timed, `--numjobs=${jobs}`),
    limit: 'twin',
    glusterfsFloor: 2,
    limitFloor: jobs === 1 ? 0.5 : 0.7,
  };
}

const fdatasync = ['--rw=write', '--bs=8k', '--fdatasync=1'];
const dsync = ['--rw=randwrite', '--bs=4k', '--sync=dsync', '--direct=1'];
const cachedRead = ['--size=128m', '--invalidate=0', '--pre_read=1', '--time_based', '--runtime=2'];
const coldRead = ['--size=256m', '--invalidate=1', '--randrepeat=0'];

/** 10,000 small files made, written, closed and removed. Perl is on the barest Debian. */
const smallFiles = `use strict; use Time::HiRes 'time'; my $count = 10000; my $began = time; mkdir 'small';
for my $n (1..$count) { open(my $f, '>', "small/$n") or die $!; syswrite($f, 'x' x 4096) == 4096 or die $!; close($f) or die $!; unlink("small/$n") or die $!; }
rmdir 'small'; printf "%.3f\\n", $count / (time - $began);`;

/** A repository with 5,000 files and some history, made once per place. */
const cloneScript = `set -e
if [ ! -d repository ]; then
  mkdir repository; cd repository; git init -q .
  for d in $(seq 100); do mkdir d$d; for f in $(seq 50); do seq $d $((d + f * 20)) > d$d/f$f; done; done
  git add . && git -c user.name=bench -c user.email=bench@localhost commit -q -m bench; cd ..
fi
sync -f .; began=$(date +%s%N)
git clone -q --no-local repository clone
now=$(date +%s%N); rm -rf clone; echo $(( now - began ))`;

/** What a reader would look for and does not find. */
export const notMeasured: readonly string[] = [
  '4 KiB random write answered when the peer has it: takes a second module with `acknowledge: received`',
  'npm ci: needs a registry of packages inside of the lab',
  'first sync beside rsync, and the latency of an application during a resync',
];

export const workloads: readonly Workload[] = [
  synchronous('write-8k-fdatasync', '8 KiB write + fdatasync', fdatasync, 1),
  synchronous('write-8k-fdatasync', '8 KiB write + fdatasync', fdatasync, 8),
  synchronous('write-4k-dsync', '4 KiB random O_DSYNC write', dsync, 1),
  synchronous('write-4k-dsync', '4 KiB random O_DSYNC write', dsync, 8),
  {
    name: 'sequential',
    words: '1 MiB sequential, fsync at the end',
    unit: 'MB/s',
    rate: async (host, directory) =>
      megabytes(host, directory, '--rw=write', '--bs=1m', '--size=512m', '--end_fsync=1'),
    limit: 'twin',
    glusterfsFloor: 2,
    limitFloor: 0.7,
  },
  {
    name: 'buffered-4k',
    words: 'buffered 4 KiB writes',
    unit: '/s',
    rate: async (host, directory) =>
      operations(host, directory, '--rw=randwrite', '--bs=4k', ...laidOut, '--time_based', '--runtime=3'),
    limit: 'bare',
    glusterfsFloor: 5,
    limitFloor: 0.5,
  },
  {
    name: 'read-cached-4k',
    words: 'read, cached, 4 KiB',
    unit: '/s',
    rate: async (host, directory) => operations(host, directory, '--rw=randread', '--bs=4k', ...cachedRead),
    limit: 'bare',
    glusterfsFloor: 5,
    limitFloor: 0.9,
  },
  {
    name: 'read-cached-1m',
    words: 'read, cached, 1 MiB',
    unit: 'MB/s',
    rate: async (host, directory) => megabytes(host, directory, '--rw=read', '--bs=1m', ...cachedRead),
    limit: 'bare',
    glusterfsFloor: 5,
    limitFloor: 0.9,
  },
  {
    name: 'read-cold-4k',
    words: 'read, cold, 4 KiB one at a time',
    unit: '/s',
    rate: async (host, directory) => {
      await fio(host, directory, ['--rw=write', '--bs=1m', '--size=256m', '--end_fsync=1', '--filename=cold']);
      dropCaches();
      return operations(host, directory, '--rw=randread', '--bs=4k', '--filename=cold', ...coldRead, ...timed);
    },
    limit: 'bare',
    glusterfsFloor: 1.5,
    limitFloor: 0.35,
  },
  {
    name: 'read-cold-1m',
    words: 'read, cold, 1 MiB',
    unit: 'MB/s',
    rate: async (host, directory) => {
      await fio(host, directory, ['--rw=write', '--bs=1m', '--size=256m', '--end_fsync=1', '--filename=cold']);
      dropCaches();
      return megabytes(host, directory, '--rw=read', '--bs=1m', '--filename=cold', ...coldRead);
    },
    limit: 'bare',
    glusterfsFloor: 1.5,
    limitFloor: 0.8,
  },
  {
    name: 'small-files',
    words: 'create + write + close + unlink of 10,000 files',
    unit: '/s',
    rate: async (host, directory) =>
      Number(
        await host.must(['sh', '-c', 'cd "$0" && exec perl -e "$1"', directory, smallFiles], { timeoutMs: 300_000 }),
      ),
    limit: null,
    glusterfsFloor: 3,
    limitFloor: null,
  },
  {
    name: 'git-clone',
    words: 'git clone of 5,000 files (files per second)',
    unit: '/s',
    rate: async (host, directory) => {
      const nanoseconds = Number(
        await host.must(['sh', '-c', `cd "$0" && ${cloneScript}`, directory], { timeoutMs: 600_000 }),
      );
      return 5000 / (nanoseconds / 1e9);
    },
    limit: null,
    glusterfsFloor: 3,
    limitFloor: null,
  },
  ...[1, 8].map((clients): Workload => ({
    name: `pgbench-${clients}`,
    words: `pgbench TPC-B-like, ${clients} ${clients === 1 ? 'client' : 'clients'}`,
    unit: '/s',
    rate: async (host, directory) => transactionsPerSecond(host, directory, clients),
    limit: 'twin',
    glusterfsFloor: 2,
    limitFloor: 0.6,
  })),
];
