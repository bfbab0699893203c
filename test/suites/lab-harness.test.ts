/** The instruments of the failover stories are themselves tested: each must see the fault that it is there to find. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  assertNothingLost,
  backingPath,
  directoriesEqual,
  journalProblems,
  listeningPorts,
  nowMs,
  postgresLayer,
  preparePostgres,
  readJournal,
  residentBytes,
  startWorkload,
  virtualAddress,
} from '../e2e/harness/index.ts';
import { tellStory } from '../e2e/runner.ts';
import type { StoryContext } from '../e2e/story.ts';
import { Lab, labObstacle } from '../lab/index.ts';
import type { Host } from '../lab/index.ts';

const obstacle = labObstacle();
const name = 'labharness';

/** Bare hosts have no program that sets extended attributes. */
function setAttribute(file: string, attribute: string, value: string): void {
  const script = `const ffi = require('node:ffi');
    const { functions: c } = ffi.dlopen('libc.so.6', { lsetxattr: {
      arguments: ['string', 'string', 'string', 'uint64', 'int32'], return: 'int32' } });
    process.exit(c.lsetxattr(...process.argv.slice(1, 4), BigInt(process.argv[3].length), 0) === 0 ? 0 : 1);`;
  execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', script, file, attribute, value]);
}

async function serve(host: Host): Promise<void> {
  await host.must(`ip addr replace ${virtualAddress}/24 dev eth0 && systemctl start app`);
}

describe('harness', () => {
  let lab: Lab;
  let n1: Host;
  let n2: Host;
  beforeEach((context) => {
    if (obstacle !== undefined) context.skip(obstacle.reason);
  });
  beforeAll(async () => {
    if (obstacle !== undefined) return;
    lab = await Lab.up({ name, nodes: 2, layers: [postgresLayer] });
    [n1, n2] = [lab.host('n1'), lab.host('n2')];
  });
  afterAll(async () => {
    if (obstacle !== undefined) return;
    await Lab.remove(name);
  });

  it('every returned COMMIT survives a power cut, and the outage is measured', async () => {
    await preparePostgres(n1);
    await serve(n1);
    await using workload = await startWorkload(lab);
    await workload.waitForCommits(200);
    await n1.poweroff();
    // What was answered while the host still went off is no end of the outage.
    const instantMs = nowMs();
    await n1.start();
    await serve(n1);
    const outageMs = await workload.firstSelectAfter(instantMs);
    await workload.firstCommitAfter(instantMs);
    const report = await workload.stop();
    expect(report.acknowledged).toBeGreaterThanOrEqual(200);
    expect(report.longestGapMs).toBeGreaterThan(300);
    expect(outageMs).toBeGreaterThan(300);
    expect(outageMs).toBeLessThan(20_000);
    const verdict = await assertNothingLost(workload);
    expect(verdict.rows).toBeGreaterThanOrEqual(report.acknowledged);
    expect(verdict.rows).toBeLessThanOrEqual(report.acknowledged + report.undecided);
  });

  // Tried again, since anybody's `sync` on this machine in the same instant saves what should be lost.
  it('a database that acknowledges what it has not made durable is found out', { retry: 2 }, async () => {
    await n1.must('systemctl stop app; rm -rf /data/db');
    await preparePostgres(n1, { fsync: false });
    await serve(n1);
    await using workload = await startWorkload(lab);
    await workload.waitForCommits(100);
    // The last moment before the cut is what matters: it must be later than any flush in the background.
    await n1.must('sync');
    await workload.waitForCommits((await workload.report()).acknowledged + 100);
    await n1.poweroff();
    await n1.start();
    // A database without fsync may not even start again.
    const started = await n1.exec(`ip addr replace ${virtualAddress}/24 dev eth0 && systemctl start app`);
    const lost = started.code !== 0 || (await workload.stop().then(() => workload.verify())).missing.length > 0;
    expect(lost).toBe(true);
  });

  it('compares directories below what the hosts mount over them, by every attribute', async () => {
    const build = [
      'rm -rf /data/m && mkdir -p /data/m/sub/.holdfast /data/m/.holdfast && cd /data/m',
      'echo secret >.holdfast/own && echo kept >sub/.holdfast/kept',
      `printf content >file && touch -d @1000000000.123456789 file && ln file hard && ln -s file symbolic`,
      `printf x >"$(printf 'bytes-\\377')" && touch -d @1000000000 bytes* sub/.holdfast/kept && mkfifo fifo`,
      'chmod 2750 sub && chown admin sub',
    ].join(' && ');
    for (const host of [n1, n2]) await host.must(build);
    await n2.must('echo another >/data/m/.holdfast/own; mkdir /data/cover && mount --bind /data/cover /data/m');
    const same = await directoriesEqual(n1, '/data/m', n2, '/data/m');
    expect(same.differences).toEqual([]);
    expect(same.files).toBe(4);
    await n2.must('umount /data/m');
    setAttribute(path.join(backingPath(n2, '/data/m'), 'fifo'), 'trusted.mark', 'x');
    setAttribute(path.join(backingPath(n2, '/data/m'), 'fifo'), 'trusted.holdfast.id', 'y');
    expect((await directoriesEqual(n1, '/data/m', n2, '/data/m')).differences).toEqual([
      '"fifo": xattr trusted.mark: none on n1, 78 on n2',
    ]);

    const changes: readonly (readonly [string, RegExp])[] = [
      ['printf Content >file && touch -d @1000000000.123456789 file', /"file": sha256/],
      ['touch -d @1000000000.123456780 file', /"file": modified: 1000000000123456789 on n1, 1000000000123456780 on n2/],
      ['chmod 600 file', /"file": mode: 644 on n1, 600 on n2/],
      ['chown admin file', /"file": owner/],
      ['rm symbolic && ln -s elsewhere symbolic', /"symbolic": target: file on n1, elsewhere on n2/],
      ['rm hard && cp -p file hard', /"hard": linkedTo: file on n1, none on n2/],
      ['rm fifo', /"fifo": only on n1/],
      ['mkdir more', /"more": only on n2/],
      ['chmod 700 sub', /"sub": mode: 2750 on n1, 2700 on n2/],
    ];
    for (const [change, expected] of changes) {
      await n2.must(build);
      await n2.must(`cd /data/m && ${change}`);
      const { equal, differences } = await directoriesEqual(n1, '/data/m', n2, '/data/m');
      expect([equal, differences.join('\n')]).toEqual([false, expect.stringMatching(expected)]);
    }
  });

  it('finds unexpected lines in journals, also of a host that is off', async () => {
    const unit = '[Service]\nType=oneshot\nExecStart=/bin/sh -c ';
    const script = `"echo all is well; echo '<4>a warning'; echo 'TypeError: x is undefined'; echo '<3>known trouble'"`;
    await n1.writeFile('/etc/systemd/system/holdfastd.service', `${unit}${script}\n`);
    await n1.must('systemctl daemon-reload && systemctl start holdfastd && journalctl --sync');
    await n1.poweroff();
    const problems = await journalProblems(n1, { allow: [/^known trouble$/] });
    expect(problems.map((line) => line.text)).toEqual(['a warning', 'TypeError: x is undefined']);
    expect((await readJournal(n1)).map((line) => line.text)).toContain('all is well');
    await n1.start();
  });

  it('lists listening ports and measures memory', async () => {
    const ports = await listeningPorts(n2);
    const ssh = ports.find((port) => port.port === 22 && port.address === '0.0.0.0');
    expect(ssh).toMatchObject({ protocol: 'tcp', program: 'sshd' });
    expect(await residentBytes(n2, 'ssh.service')).toBeGreaterThan(1024 ** 2);
    expect(await residentBytes(n2, 'app.service')).toBe(0);
  });

  it('tells stories, and fails those that fail, hang, or leave a line in a journal', async () => {
    const logHome = mkdtempSync(path.join(tmpdir(), 'holdfast-stories-'));
    const printed: string[] = [];
    const tell = async (what: (context: StoryContext) => Promise<void>, timeoutMs = 60_000): Promise<string> => {
      const story = { name: 'a story', options: { hosts: { nodes: 1 }, timeoutMs }, tell: what };
      const print = (line: string): void => void printed.push(line);
      const result = await tellStory(story, { labName: 'labstory', logHome, print });
      return result.failure ?? 'passed';
    };
    const undone: string[] = [];
    const good = tell(async (t) => {
      t.defer(() => void undone.push('first'));
      t.defer(() => void undone.push('second'));
      t.step(`on ${(await t.host('n1').must('hostname')).trim()}`);
    });
    expect(await good).toBe('passed');
    expect(undone).toEqual(['second', 'first']);
    expect(printed.join('\n')).toMatch(/ ms {2}on n1/);
    const bad = tell(async () => {
      throw new Error('as planned');
    });
    expect(await bad).toContain('as planned');
    const hanging = tell(async (t) => {
      await t.host('n1').must('sleep 600');
    }, 2500);
    expect(await hanging).toContain('not finished within 2500 ms');
    const noisy = tell(async (t) => {
      await t.host('n1').must('systemd-run -q --wait -u holdfastd sh -c "echo \\"<3>unplanned\\""');
    });
    expect(await noisy).toContain('unplanned');
    rmSync(logHome, { recursive: true });
  });
});
