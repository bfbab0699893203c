import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { withOwnDirectoryAsRunpath } from './runpath.ts';

const library = '/usr/lib/x86_64-linux-gnu/libatomic.so.1';
const onLinux = process.platform === 'linux' && process.arch === 'x64' && existsSync(library);

it('makes a program find its library beside itself, with nothing in the environment', (context) => {
  if (!onLinux) context.skip('needs Linux on x86-64 with libatomic.so.1 (Debian: libatomic1)');
  const directory = mkdtempSync(path.join(tmpdir(), 'holdfast-runpath-'));
  try {
    const program = path.join(directory, 'node');
    const patched = withOwnDirectoryAsRunpath(readFileSync(process.execPath));
    writeFileSync(program, patched, { mode: 0o755 });
    copyFileSync(library, path.join(directory, 'libatomic.so.1'));
    const script = `
      const { execFileSync } = require('node:child_process');
      const { Worker } = require('node:worker_threads');
      const maps = require('node:fs').readFileSync('/proc/self/maps', 'utf8');
      const child = execFileSync(process.execPath, ['-p', 'process.env.LD_LIBRARY_PATH ?? "clean"']).toString().trim();
      new Worker('require("node:worker_threads").parentPort.postMessage(1)', { eval: true }).once('message', () =>
        console.log(JSON.stringify({ execPath: process.execPath, child, library: /\\S+libatomic\\S+/.exec(maps)[0] })));`;
    const said = execFileSync(program, ['-e', script], { env: {} }).toString();
    expect(JSON.parse(said)).toEqual({
      execPath: program,
      child: 'clean',
      library: path.join(directory, 'libatomic.so.1'),
    });
    expect(() => withOwnDirectoryAsRunpath(patched)).toThrow(/runpath already/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it('refuses what is no Linux program', () => {
  expect(() => withOwnDirectoryAsRunpath(Buffer.from('MZ'.padEnd(200)))).toThrow(/not a 64-bit Linux program/);
});
