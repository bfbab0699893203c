/** What must not stand in any file of the repository. Each pattern is tried on an example first: a typing mistake in it
 * would let everything pass. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { repositoryRoot } from '../../resources/tools.ts';
import vitestConfig from '../../vitest.config.ts';

interface Ban {
  readonly pattern: RegExp;
  readonly example: string;
  readonly why: string;
  readonly only?: RegExp;
}

const bans: readonly Ban[] = [
  {
    pattern: /\b(chat[g]pt|open[a]i|anthro[p]ic|cl[a]ude|cop[i]lot|L[L]Ms?|language m[o]del)\b/i,
    example: ['L', 'LM'].join(''),
    why: 'the repository speaks of the product alone',
  },
  { pattern: /(^|[\s'"`(=:])\/w[o]rk\//, example: ' /w' + 'ork/x', why: 'a path of one machine' },
  { pattern: /(^|[\s'"`(=:])\/tmp\/(h[f]|bash_j[o]bs)\b/, example: ' /tmp/h' + 'f', why: 'a path of one machine' },
  { pattern: /\.\.\/sh[a]red\b/, example: '../sh' + 'ared', why: 'a path of one machine' },
  {
    pattern: /registry\.(npmjs|yarnpkg)|(deb|ftp)\.debian\.org|archive\.ubuntu\.com/,
    example: 'https://registry.' + 'npmjs.org',
    why: 'package sources are the machine’s own business',
  },
  { pattern: /\b(TO[D]O|FIX[M]E|X[X]X)\b/, example: 'TO' + 'DO', why: 'unfinished work belongs to an issue' },
  {
    pattern: /\b(test|it|describe|suite)\s*\.\s*(skip|only|todo|skipIf|runIf|fails)\b/,
    example: 'test.' + 'skip(',
    why: 'a test is left out only by context.skip(reason), which the summary repeats',
    only: /\.test\.ts$/,
  },
  {
    pattern: /\.skip\(\s*\)/,
    example: 'context.skip(' + ')',
    why: 'a test that is left out says why',
    only: /\.test\.ts$/,
  },
];

function repositoryFiles(): readonly string[] {
  const { status, stdout, stderr } = spawnSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '-z'],
    {
      cwd: repositoryRoot,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  if (status !== 0) throw new Error(`git cannot list the files of the repository: ${stderr}`);
  return stdout.split('\0').filter((file) => file !== '' && existsSync(join(repositoryRoot, file)));
}

test('every ban catches its example', () => {
  for (const { pattern, example } of bans) expect(example).toMatch(pattern);
});

test('no file holds a banned word, host or path, or leaves a test out silently', () => {
  const files = repositoryFiles();
  expect(files).toContain('package.json');
  const found: string[] = [];
  for (const file of files) {
    const lines = readFileSync(join(repositoryRoot, file), 'utf8').split('\n');
    for (const { pattern, why, only } of bans) {
      if (only && !only.test(file)) continue;
      lines.forEach((line, index) => {
        if (pattern.test(line)) found.push(`${file}:${index + 1}: ${line.trim().slice(0, 120)} (${why})`);
      });
    }
  }
  expect(found).toEqual([]);
});

test('every test file is run by exactly one stage', () => {
  const { test: stages } = z
    .object({
      test: z.object({
        projects: z.array(z.object({ test: z.object({ name: z.string(), include: z.array(z.string()) }) })),
      }),
    })
    .parse(vitestConfig);
  const testFiles = repositoryFiles().filter((file) => /\.(test|spec)\.[cm]?[jt]s$/.test(file));
  expect(testFiles).toContain('test/rules/repository.test.ts');
  for (const file of testFiles) {
    const homes = stages.projects.filter((project) => project.test.include.some((glob) => matchesGlob(file, glob)));
    expect(
      homes.map((project) => project.test.name),
      file,
    ).toHaveLength(1);
  }
});
