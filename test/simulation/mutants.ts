/** `npm run sim -- --mutants`: every deliberate bug of mutant-list.ts before the judges, one after the other, and who noticed it. */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mutants, type Change, type Mutant } from './mutant-list.ts';

/** Whole folders: a list of files would miss what one of them imports tomorrow. */
const parts = ['agent', 'test/simulation', 'test/scenarios', 'test/run', 'resources', 'package.json'];

/** The text of the file with the bug in it; null where the line is gone. */
export function changed(root: string, { file, find, replace }: Change): string | null {
  const source = readFileSync(path.join(root, file), 'utf8');
  if (source.includes(find)) return source.replace(find, replace);
  const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');
  // Line comments would swallow the rest of a flattened file: they go first.
  const code = flat(source.replaceAll(/^\s*\/\/.*$/gm, '').replaceAll(/ \/\/ .*$/gm, ''));
  return code.includes(flat(find)) ? code.replace(flat(find), replace) : null;
}

/** Who may notice a bug, the cheapest first. */
function judgesOf(seeds: number): readonly { readonly name: string; readonly arguments: readonly string[] }[] {
  return [
    { name: 'seeds', arguments: ['--seeds', '60'] },
    { name: 'scenarios', arguments: ['--scenarios'] },
    { name: 'more seeds', arguments: ['--from', '61', '--seeds', String(seeds)] },
    { name: 'explorer', arguments: ['--explore', '--states', '4000'] },
  ];
}

interface Killed {
  readonly judge: string;
  readonly where: string;
  readonly what: string;
}

function judge(home: string, seeds: number): Killed | string {
  let said = '';
  for (const { name, arguments: wanted } of judgesOf(seeds)) {
    const { HOLDFAST_TEST_SUMMARY: _, ...environment } = process.env;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', path.join(home, 'test/simulation/main.ts'), ...wanted, '--first'],
      { encoding: 'utf8', env: environment },
    );
    const caught = /^(seed \d+|scenario [^:]+|breach): (.*)$/m.exec(stdout);
    if (caught !== null) return { judge: name, where: caught[1] ?? '', what: caught[2] ?? '' };
    said = `${stdout.slice(-300)}${stderr.slice(-500)}`;
    // A bug that ends the judge itself was not judged.
    if (!stdout.includes(' passed, 0 failed')) break;
  }
  return said;
}

interface Told {
  readonly mutant: Mutant;
  readonly seconds: number;
  readonly outcome: Killed | string;
}

function tryOne(root: string, home: string, mutant: Mutant, seeds: number): Killed | string {
  const changes = [mutant, ...(mutant.also === undefined ? [] : [mutant.also])];
  const texts = changes.map((change) => ({ file: change.file, text: changed(root, change) }));
  const lost = texts.filter(({ text }) => text === null).map(({ file }) => file);
  if (lost.length > 0) return `its line is gone from ${lost.join(' and ')}; give it a new one`;
  rmSync(home, { recursive: true, force: true });
  for (const part of parts) cpSync(path.join(root, part), path.join(home, part), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(home, 'node_modules'));
  for (const { file, text } of texts) writeFileSync(path.join(home, file), text ?? '');
  return judge(home, seeds);
}

/** @param only part of a name; empty: all. @returns the number of mutants that no judge noticed. */
export function runMutants(root: string, seeds: number, only: string): { killed: number; survived: number } {
  const home = path.join(root, 'dist', 'mutants');
  const told: Told[] = [];
  for (const mutant of mutants.filter(({ name }) => name.includes(only))) {
    const beganMs = performance.now();
    const outcome = tryOne(root, home, mutant, seeds);
    const one = { mutant, outcome, seconds: (performance.now() - beganMs) / 1000 };
    told.push(one);
    process.stdout.write(`${lineOf(one)}\n`);
  }
  rmSync(home, { recursive: true, force: true });
  const survived = told.filter(({ outcome }) => typeof outcome === 'string').length;
  return { killed: told.length - survived, survived };
}

/** A row of the table in docs/simulator.md. */
function lineOf({ mutant, seconds, outcome }: Told): string {
  const start = `| ${mutant.name} | ${mutant.breaks} |`;
  if (typeof outcome === 'string') return `${start} SURVIVED | ${seconds.toFixed(0)} s |\n${outcome}`;
  return `${start} ${outcome.judge}, ${outcome.where}: ${outcome.what.slice(0, 90)} | ${seconds.toFixed(0)} s |`;
}
