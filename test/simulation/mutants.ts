/**
 * Deliberate bugs, each one line of the real core. The judges must catch every one of them: a simulator that cannot fail proves nothing.
 * A bug that is found later becomes a mutant.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

interface Change {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

interface Mutant extends Change {
  readonly name: string;
  /** A second guard of the same rule, which hides that the first one is gone. */
  readonly also?: Change;
}

const mutants: readonly Mutant[] = [
  {
    name: 'a voter grants although somebody else holds the lease',
    file: 'agent/core/voter.ts',
    find: "if (holder !== null && holder !== candidate) return refuse('lease-held');",
    replace: '',
  },
  {
    name: 'a voter forgets that it has just started',
    file: 'agent/core/voter.ts',
    find: "if (nowMs < voter.quietUntilMs) return refuse('just-started');",
    replace: '',
  },
  {
    name: 'a voter accepts an older copy',
    file: 'agent/core/voter.ts',
    find: "if (behind(request.generation, voter.newest) && !request.order && !ownWish) return refuse('older-generation');",
    replace: '',
  },
  {
    name: 'a voter frees its grant as early as the holder stops',
    file: 'agent/core/timing.ts',
    find: 'Math.ceil((leaseMs * (1 + rateError)) / (1 - rateError)) + kernelMarginMs',
    replace: 'Math.floor(leaseMs / 2)',
  },
  {
    name: 'the life of a grant counts from its arrival',
    file: 'agent/core/right.ts',
    find: 'request.atMs + s.identity.timing.leaseMs',
    replace: 'draft.now + s.identity.timing.leaseMs * 2',
  },
  {
    name: 'an active node gives its vote away',
    file: 'agent/core/mirror.ts',
    find: 'if (mayBeActive(s) || s.seek !== null) {',
    replace: 'if (s.startedMs < 0) {',
  },
  {
    name: 'goes on alone without any voter knowing',
    file: 'agent/core/right.ts',
    find: 'if (!state.identity.witness) return true;',
    replace: 'return true;',
  },
  {
    name: 'a stale copy takes over',
    file: 'agent/core/mirror-state.ts',
    find: "known.every((record) => record.copy === 'up-to-date')",
    replace: 'true',
  },
  {
    name: 'a promise to the other node is forgotten',
    file: 'agent/core/mirror-state.ts',
    find: 'usable: upToDate && (!behind(generation, newest) || includesGeneration(pending, newest)),',
    replace: 'usable: upToDate,',
  },
  {
    name: 'keeps running when its right is gone',
    file: 'agent/core/right.ts',
    find: 'return Math.max(state.ballots.peer.deadlineMs, state.ballots.witness.deadlineMs);',
    replace: 'return now + state.identity.timing.leaseMs;',
  },
  {
    name: 'takes over while its own vote belongs to the other',
    file: 'agent/core/waiting.ts',
    find: 'if (holderOf(s.voter, now) !== null) {',
    replace: 'if (s.seek !== null) {',
  },
  {
    name: 'a late release ends a newer grant',
    file: 'agent/core/voter.ts',
    find: 'grant.session === message.session && grant.number <= message.number',
    replace: 'message.number >= 0',
  },
  {
    name: 'a failed handover is never tried again',
    file: 'agent/core/serving.ts',
    find: 's.handoverUntilMs = now + s.identity.timing.detectionMs * 3;',
    replace: 's.handoverUntilMs = now + 1e9;',
  },
  {
    name: 'the target of an unfinished resync counts as complete',
    file: 'agent/replication/volume-lineage.ts',
    find: "return { ...record, copy: 'stale', peerStale: false, cleanCheckpoint: null };",
    replace: 'return { ...record, peerStale: false, cleanCheckpoint: null };',
  },
  {
    name: 'equal checkpoints are not asked for',
    file: 'agent/replication/contact.ts',
    find: 'source.cleanCheckpoint !== null &&',
    replace: '',
  },
  {
    name: 'without a witness both may start alone',
    file: 'agent/core/waiting.ts',
    find: '(copy.clean && s.record.lastPrimary)',
    replace: 'copy.clean',
  },
  {
    name: 'the witness alone lets a node go on that promised the other one something newer',
    file: 'agent/core/waiting.ts',
    find: "if (wish.purpose !== 'order' && !ownCopy(state).usable)",
    replace: 'if (state.startedMs < 0)',
    also: {
      file: 'agent/core/right.ts',
      find: 's.identity.witness && (order || mayBeActive(s) || ownCopy(s).usable)',
      replace: 's.identity.witness',
    },
  },
  {
    name: 'an application that did not start is handed to and fro',
    file: 'agent/core/serving.ts',
    find: '(s.beat.unable ?? null) === null);',
    replace: 'true);',
  },
  {
    name: 'checkers restart without a limit',
    file: 'agent/core/checkers.ts',
    find: 'if (left <= 0) {',
    replace: 'if (left < -1000) {',
  },
  {
    name: 'the restarts of a checker are not recorded',
    file: 'agent/core/checkers.ts',
    find: 'const restarts = limitReached ? recent : [...recent, now];',
    replace: 'const restarts = recent;',
  },
  {
    name: 'a checker acts in maintenance',
    file: 'agent/core/checkers.ts',
    find: 'if (s.record.maintenance) return null;\n  const failed',
    replace: 'const failed',
  },
  {
    name: 'the failure of a checker is never followed',
    file: 'agent/core/serving.ts',
    find: 'const verdict = judgeCheckers(draft);\n  if (verdict === null) return false;',
    replace: 'const verdict = judgeCheckers(draft);\n  if (verdict === null || draft.now > 0) return false;',
  },
  {
    name: 'the limit of a node is forgotten at its boot',
    file: 'agent/core/mirror-state.ts',
    find: 'return { restarts: record.restarts.map(() => 0), restartsBoot: bootId };',
    replace: 'return { restarts: [], restartsBoot: bootId };',
  },
  {
    name: 'a grant is over as soon as it is given',
    file: 'agent/core/voter.ts',
    find: 'untilMs: Math.max(nowMs + grantMs, voter.grant?.untilMs ?? 0),',
    replace: 'untilMs: nowMs,',
  },
  {
    name: 'a wish is not recorded before it is sent',
    file: 'agent/core/mirror-state.ts',
    find: 'draft.persist({ pending: [...pending, wish].slice(-pendingMax) });',
    replace: 'draft.actions.slice(pendingMax);',
  },
  {
    name: 'the witness forgets the newest generation in a restart',
    file: 'test/simulation/witness.ts',
    find: 'this.durable = step.state.newest;',
    replace: '',
  },
  {
    name: 'a new generation has no history',
    file: 'agent/replication/volume-lineage.ts',
    find: 'history: (former === null ? record.history : [former.id, ...record.history]).slice(0, historyLengthMax),',
    replace: 'history: former === null ? [] : record.history.slice(historyLengthMax),',
  },
  {
    name: 'a resynchronised copy keeps its old generation',
    file: 'agent/replication/volume-lineage.ts',
    find: 'generation: source.generation,',
    replace: '',
  },
  {
    name: 'a new generation is no newer than the last',
    file: 'agent/core/mirror-state.ts',
    find: 'Math.max(0, ...knownGenerations(state).map((generation) => generation.number)) + 1',
    replace: 'Math.max(1, ...knownGenerations(state).map((generation) => generation.number))',
  },
  {
    name: 'a node never serves as secondary',
    file: 'agent/core/waiting.ts',
    find: "draft.run([{ do: 'serve-secondary' }]);",
    replace: '',
  },
];

const parts = [
  'agent/core',
  'agent/contract',
  'agent/replication/contact.ts',
  'agent/replication/volume-lineage.ts',
  'test/simulation',
  'test/run',
  'resources',
  'package.json',
];

/** The text of the file with the bug in it; null where the line is gone. */
function changed(root: string, { file, find, replace }: Change): string | null {
  const source = readFileSync(path.join(root, file), 'utf8');
  if (source.includes(find)) return source.replace(find, replace);
  const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');
  // Line comments would swallow the rest of a flattened file: they go first.
  const code = flat(source.replaceAll(/^\s*\/\/.*$/gm, '').replaceAll(/ \/\/ .*$/gm, ''));
  return code.includes(flat(find)) ? code.replace(flat(find), replace) : null;
}

/** @param only part of a name; empty: all. @returns the number of mutants that no judge noticed. */
export function runMutants(root: string, seeds: number, only: string): { killed: number; survived: number } {
  const home = path.join(root, 'dist', 'mutants');
  let survived = 0;
  const chosen = mutants.filter((mutant) => mutant.name.includes(only));
  for (const mutant of chosen) {
    const changes = [mutant, ...(mutant.also === undefined ? [] : [mutant.also])];
    const texts = changes.map((change) => ({ file: change.file, text: changed(root, change) }));
    const lost = texts.filter(({ text }) => text === null);
    if (lost.length > 0) {
      const where = lost.map(({ file }) => file).join(' and ');
      process.stdout.write(`mutant "${mutant.name}": its line is gone from ${where}; give it a new one\n`);
      survived += 1;
      continue;
    }
    rmSync(home, { recursive: true, force: true });
    for (const part of parts) cpSync(path.join(root, part), path.join(home, part), { recursive: true });
    mkdirSync(path.join(home, 'agent'), { recursive: true });
    symlinkSync(path.join(root, 'node_modules'), path.join(home, 'node_modules'));
    for (const { file, text } of texts) writeFileSync(path.join(home, file), text ?? '');
    const { HOLDFAST_TEST_SUMMARY: _, ...environment } = process.env;
    const result = spawnSync(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        path.join(home, 'test/simulation/main.ts'),
        '--seeds',
        String(seeds),
        '--first',
      ],
      { encoding: 'utf8', env: environment },
    );
    const caught = /^seed (\d+): (.*)$/m.exec(result.stdout);
    if (caught === null) survived += 1;
    process.stdout.write(
      `${caught === null ? 'SURVIVED' : 'killed  '} ${mutant.name}${caught === null ? `\n${result.stdout.slice(-300)}${result.stderr.slice(-500)}` : ` — seed ${String(caught[1])}: ${String(caught[2]).slice(0, 100)}`}\n`,
    );
  }
  rmSync(home, { recursive: true, force: true });
  return { killed: chosen.length - survived, survived };
}
