/** A virtual machine of libvirt, asked by `virsh`. What it is asked and what its answer means are pure functions. */
import type { Finding } from '../contract/index.ts';
import { good, notChecked, type Checker } from './checker.ts';
import { lastLine, Program, type ProgramOutcome, type ProgramResult } from './program.ts';
import { Progress, stillMsMin, type Work } from './vm-progress.ts';

const virsh = ['--quiet', '--connect', 'qemu:///system'] as const;
/** Hundreds of processors and disks are told in full. */
const statisticsBytesMax = 256 * 1024;
/** Older libvirt counts the time of processors in hundredths of a second, of which an idle guest needs one in half a minute. */
const stillMsMinCoarse = 120_000;
/** The look itself ends sooner; this is for what libvirt goes on with. */
const agentSeconds = 5;

export function stateCommand(domain: string): readonly string[] {
  return [...virsh, 'domstate', '--reason', '--domain', domain];
}
export function pingCommand(domain: string): readonly string[] {
  const ping = JSON.stringify({ execute: 'guest-ping' });
  return [...virsh, 'qemu-agent-command', '--timeout', String(agentSeconds), '--domain', domain, '--cmd', ping];
}
export function statisticsCommand(domain: string): readonly string[] {
  return [...virsh, 'domstats', '--vcpu', '--block', '--domain', domain];
}

/** Null: libvirt lets it run. */
export function parseState({ exitCode, output }: ProgramResult): Finding | null {
  const said = output.trim().split('\n')[0] ?? '';
  if (exitCode === 0) return /^(running|idle)\b/.test(said) ? null : { code: 'not-running', found: said };
  // A service that does not answer says nothing about the machine.
  return /failed to get domain|domain not found/i.test(output)
    ? { code: 'not-running', found: 'no such domain' }
    : notChecked(lastLine(output));
}

/** `absent`: there is none that could answer, which says nothing about the guest. */
export function parsePing({ exitCode, output }: ProgramResult): 'answers' | 'silent' | 'absent' | { unknown: string } {
  if (exitCode === 0) return 'answers';
  if (/agent is not configured|agent is not connected|domain is not running/i.test(output)) return 'absent';
  if (/not responding|respond|timed out|disappeared|not available|state change lock/i.test(output)) return 'silent';
  // Who says that it may not answer this has answered.
  return /unable to execute QEMU agent command/i.test(output) ? 'answers' : { unknown: lastLine(output) };
}

/** Null: not told. */
export function parseStatistics({ exitCode, output }: ProgramResult): Work | null {
  const lines = output.split('\n').map((line) => line.trim());
  const processors = lines.filter((line) => /^vcpu\.\d+\.(time|wait|delay)=/.test(line));
  const disks = lines.filter((line) => /^block\.\d+\.(rd|wr|fl)\.reqs=/.test(line));
  if (exitCode !== 0 || processors.length === 0) return null;
  const fine = processors.some((line) => line.includes('.delay='));
  return {
    marks: [...processors, ...disks].join(),
    processorNs: 0,
    idleShare: 0,
    stillMsMin: fine ? stillMsMin : stillMsMinCoarse,
  };
}

function withoutAnswer(outcome: Exclude<ProgramOutcome, { kind: 'ended' }>): Finding {
  return outcome.kind === 'missing' ? notChecked(outcome.message) : { code: 'no-answer', found: 'libvirt' };
}

export function libvirtChecker(domain: string, nowMs: () => number, virshProgram = 'virsh'): Checker {
  const program = new Program(statisticsBytesMax);
  const progress = new Progress();
  return {
    async look(signal) {
      const asked = await program.run([virshProgram, ...stateCommand(domain)], signal);
      if (asked.kind !== 'ended') return withoutAnswer(asked);
      const state = parseState(asked.result);
      if (state !== null) return state;
      const pinged = await program.run([virshProgram, ...pingCommand(domain)], signal);
      if (pinged.kind === 'missing') return notChecked(pinged.message);
      const answer = pinged.kind === 'ended' ? parsePing(pinged.result) : 'silent';
      if (answer === 'answers') return good;
      if (answer === 'silent') return { code: 'guest-silent', found: '' };
      if (answer !== 'absent') return notChecked(answer.unknown);
      const told = await program.run([virshProgram, ...statisticsCommand(domain)], signal);
      if (told.kind !== 'ended') return withoutAnswer(told);
      const work = parseStatistics(told.result);
      return work === null ? notChecked(lastLine(told.result.output)) : progress.judge(work, nowMs());
    },
  };
}
