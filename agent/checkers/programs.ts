/** Checkers that ask a program. What it is asked and what its answer means are pure functions. */
import type { Finding, ProbeOf } from '../contract/index.ts';
import type { Checker } from './checker.ts';
import { good } from './checker.ts';
import type { ProgramOutcome, ProgramResult } from './program.ts';
import { lastLine, Program } from './program.ts';

/** What did not come to an answer, in the same words for all. */
function withoutAnswer(outcome: Exclude<ProgramOutcome, { kind: 'ended' }>): Finding {
  switch (outcome.kind) {
    case 'timed-out':
      return { code: 'no-answer', found: lastLine(outcome.output), output: outcome.output };
    case 'hangs':
      return { code: 'no-answer', found: 'the former look still hangs' };
    case 'missing':
      return { code: 'not-checked', found: outcome.message };
  }
}

function asking(argv: readonly string[], parse: (result: ProgramResult) => Finding): Checker {
  const program = new Program();
  return {
    async look(signal) {
      const outcome = await program.run(argv, signal);
      return outcome.kind === 'ended' ? parse(outcome.result) : withoutAnswer(outcome);
    },
  };
}

export function parseScript({ exitCode, output }: ProgramResult): Finding {
  if (exitCode === 0) return { ...good, output };
  const said = lastLine(output);
  const code = exitCode === null ? 'by a signal' : String(exitCode);
  return { code: 'exit-code', found: said === '' ? code : `${code}: ${said}`, output };
}
export function scriptChecker({ argv }: ProbeOf<'script'>): Checker {
  return asking(argv, parseScript);
}

export function serviceCommand(unit: string): readonly string[] {
  return ['systemctl', 'show', '--property=LoadState,ActiveState,SubState', '--', unit];
}
export function parseService({ exitCode, output }: ProgramResult): Finding {
  const value = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(output)?.[1] ?? '';
  const active = value('ActiveState');
  // A service manager that does not answer says nothing about the service.
  if (exitCode !== 0 || active === '') return { code: 'not-checked', found: lastLine(output) };
  if (active === 'active' || active === 'reloading') return good;
  const load = value('LoadState');
  return { code: 'service-not-active', found: load === 'not-found' ? 'not installed' : active };
}
export function serviceChecker({ unit }: ProbeOf<'service'>): Checker {
  return asking(serviceCommand(unit), parseService);
}

export function pingCommand(address: string): readonly string[] {
  return ['ping', '-n', '-q', '-c', '1', address];
}
export function parsePing({ exitCode, output }: ProgramResult): Finding {
  if (exitCode === 0) return good;
  // 1: no answer. 2: it could not even send: no route, no address.
  return exitCode === 1 ? { code: 'no-answer', found: '' } : { code: 'unreachable', found: lastLine(output) };
}
export function pingChecker({ address }: ProbeOf<'ping'>): Checker {
  return asking(pingCommand(address), parsePing);
}

export function filesystemCommand(path: string): readonly string[] {
  return ['stat', '-f', '--format=%a %b', '--', path];
}
/** Free for others than root, of all, in percent. */
export function parseFreePercent({ exitCode, output }: ProgramResult): number | null {
  const match = /^(\d+) (\d+)$/m.exec(output);
  if (exitCode !== 0 || match === null) return null;
  const all = Number(match[2]);
  return all === 0 ? null : (Number(match[1]) / all) * 100;
}

/** Beside the data and not in it: made, written through and taken away again. */
const writtenFile = '.holdfast-checker';
export function writeCommand(path: string): readonly string[] {
  // `excl`: a link that somebody put there is not followed.
  const options = ['bs=4096', 'count=1', 'oflag=dsync', 'conv=excl', 'status=none'];
  return ['dd', 'if=/dev/zero', `of=${path}/${writtenFile}`, ...options];
}
export function removeCommand(path: string): readonly string[] {
  return ['rm', '-f', '--', `${path}/${writtenFile}`];
}

export function diskChecker(probe: ProbeOf<'disk'>): Checker {
  const program = new Program();
  return {
    async look(signal) {
      const outcome = await program.run(filesystemCommand(probe.path), signal);
      if (outcome.kind !== 'ended') return withoutAnswer(outcome);
      const free = parseFreePercent(outcome.result);
      if (free === null) return { code: 'path-missing', found: lastLine(outcome.result.output) };
      if (probe.freePercentMin !== null && free < probe.freePercentMin)
        return { code: 'space-low', found: `${free.toFixed(1)} %` };
      return probe.latencyMsMax === null ? good : await writeLatency(program, probe.path, probe.latencyMsMax, signal);
    },
  };
}

async function writeLatency(program: Program, path: string, mostMs: number, signal: AbortSignal): Promise<Finding> {
  const cleared = await program.run(removeCommand(path), signal);
  if (cleared.kind !== 'ended') return withoutAnswer(cleared);
  const beganMs = performance.now();
  const written = await program.run(writeCommand(path), signal);
  const tookMs = Math.round(performance.now() - beganMs);
  if (written.kind !== 'ended') return withoutAnswer(written);
  await program.run(removeCommand(path), signal);
  if (written.result.exitCode !== 0) return { code: 'path-missing', found: lastLine(written.result.output) };
  return tookMs > mostMs ? { code: 'disk-slow', found: `${tookMs} ms` } : good;
}

/** Mounted, by the kernel's own table, and answering. */
export function mountChecker({ path }: ProbeOf<'mount'>, isMounted: (path: string) => Promise<boolean>): Checker {
  const program = new Program();
  return {
    async look(signal) {
      if (!(await isMounted(path))) return { code: 'not-mounted', found: '' };
      const outcome = await program.run(filesystemCommand(path), signal);
      if (outcome.kind !== 'ended') return withoutAnswer(outcome);
      return outcome.result.exitCode === 0 ? good : { code: 'path-missing', found: lastLine(outcome.result.output) };
    },
  };
}
