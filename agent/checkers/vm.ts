/** A virtual machine of QEMU alone: its monitor says whether it runs, its agent or its work whether the guest does. */
import type { Finding, ProbeOf } from '../contract/index.ts';
import { good, notChecked, type Checker } from './checker.ts';
import { converse, type Refusal, type Said } from './json-socket.ts';
import { lastLine, Program } from './program.ts';
import { askAgent, askMonitor, type MachineReport } from './vm-monitor.ts';
import { Progress, stillMsMin, type Work } from './vm-progress.ts';

export interface MachineSurroundings {
  /** Type of the file system that a path is on. */
  readonly filesystemOf: (path: string) => Promise<string>;
  /** `/proc/TID/schedstat` of threads of QEMU: time on a processor, time in the queue, turns. Null: not seen from here. */
  readonly schedule: (thread: number) => Promise<string | null>;
  readonly nowMs: () => number;
}

/** Looking for a file there may wait for another machine, in a call that nothing ends. */
const waitsForOthers = /^(fuse|nfs|cifs|smb|9p|ceph|afs|lustre|gfs|ocfs|virtiofs)/;
/** Without KVM the thread of a processor wakes now and then by itself: a third of this was seen, and an idle guest with four times as much. */
const idleShareEmulated = 0.001;

export function realPathCommand(path: string): readonly string[] {
  return ['realpath', '-e', '--', path];
}

/** Where a socket really is, so that connecting to it cannot hang. */
async function place(
  program: Program,
  path: string,
  { filesystemOf }: MachineSurroundings,
  signal: AbortSignal,
): Promise<{ readonly real: string } | { readonly finding: Finding }> {
  const outcome = await program.run(realPathCommand(path), signal);
  if (outcome.kind === 'missing') return { finding: notChecked(outcome.message) };
  if (outcome.kind !== 'ended') return { finding: { code: 'no-answer', found: path } };
  if (outcome.result.exitCode !== 0)
    return { finding: { code: 'not-running', found: lastLine(outcome.result.output) } };
  const real = outcome.result.output.replace(/\n$/, '');
  const type = await filesystemOf(real);
  return waitsForOthers.test(type)
    ? { finding: notChecked(`${path} is on ${type}; a socket has to be below /run`) }
    : { real };
}

/** Pure: of a monitor that gave no report. */
export function monitorFinding(refusal: Refusal, path: string): Finding {
  switch (refusal.kind) {
    case 'silent':
      return { code: 'no-answer', found: path };
    case 'nonsense':
      return { code: 'broken-answer', found: refusal.said };
    case 'closed':
      return refusal.code === 'ECONNREFUSED' || refusal.code === 'ENOENT'
        ? { code: 'not-running', found: path }
        : { code: 'broken-answer', found: refusal.code };
  }
}

/** Pure. `turns`: of each processor, as the kernel tells. */
export function workOf({ kvm, threads, diskOperations }: MachineReport, turns: readonly string[]): Work {
  const disks = `${threads.join()} ${diskOperations}`;
  if (kvm) return { marks: `${disks} ${turns.join()}`, processorNs: 0, idleShare: 0, stillMsMin };
  // One thread may serve all processors.
  const processorNs = [...new Map(threads.map((thread, index) => [thread, turns[index] ?? '']))]
    .map(([, schedule]) => Number(schedule.split(' ')[0]))
    .reduce((sum, ns) => sum + ns, 0);
  return { marks: disks, processorNs, idleShare: idleShareEmulated, stillMsMin };
}

export function monitorChecker(probe: ProbeOf<'vm'>, monitor: string, around: MachineSurroundings): Checker {
  const program = new Program();
  const progress = new Progress();
  const judge = async (report: MachineReport): Promise<Finding> => {
    const turns = await Promise.all(report.threads.map((thread) => around.schedule(thread)));
    const seen = turns.filter((one) => one !== null);
    if (seen.length < turns.length) return notChecked('the processors of the guest are not seen from here');
    return progress.judge(workOf(report, seen), around.nowMs());
  };
  return {
    async look(signal) {
      const at = await place(program, monitor, around, signal);
      if ('finding' in at) return at.finding;
      if (probe.guestAgent === null) {
        const report = await converse(at.real, signal, (socket) => askMonitor(socket, []));
        return report.kind !== 'said'
          ? monitorFinding(report, monitor)
          : (stateOf(report.value) ?? judge(report.value));
      }
      const agent = await place(program, probe.guestAgent, around, signal);
      if ('finding' in agent)
        return agent.finding.code === 'not-running' ? notChecked(agent.finding.found) : agent.finding;
      const { report, answers } = await askBoth(at.real, agent.real, [probe.guestAgent, agent.real], signal);
      // QEMU serves one client at a time: another one may sit at the monitor while the guest is well.
      if (report.kind !== 'said') return answers ? good : monitorFinding(report, monitor);
      const state = stateOf(report.value);
      if (state !== null) return state;
      if (answers) return good;
      // Who boots, or has no agent, has not opened its port: that alone does not mean that it hangs.
      return report.value.agentOpen === false ? judge(report.value) : { code: 'guest-silent', found: '' };
    },
  };
}

/** Null: QEMU lets it run. */
function stateOf({ status }: MachineReport): Finding | null {
  return status === 'running' ? null : { code: 'not-running', found: status };
}

async function askBoth(
  monitor: string,
  agent: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly report: Said<MachineReport>; readonly answers: boolean }> {
  const enough = new AbortController();
  const answering = converse(agent, AbortSignal.any([signal, enough.signal]), askAgent);
  const report = await converse(monitor, signal, (socket) => askMonitor(socket, names));
  // Nobody is there who could answer.
  if (report.kind === 'said' && (report.value.status !== 'running' || report.value.agentOpen === false)) enough.abort();
  const answer = await answering;
  return { report, answers: answer.kind === 'said' };
}
