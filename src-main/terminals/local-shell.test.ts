import { existsSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { Fault } from '../../agent/contract/fault.ts';
import { openLocalShell, shellEnvironment, shellProgram } from './local-shell.ts';
import type { ShellProcess } from './shell-process.ts';

const size = { columns: 80, rows: 24 };

interface Opened {
  readonly shell: ShellProcess;
  text(): string;
}

async function open(environment: NodeJS.ProcessEnv = process.env): Promise<Opened> {
  const shell = await openLocalShell({ ...size, environment: { ...environment, SHELL: '/bin/sh' } });
  onTestFinished(() => shell.close());
  let text = '';
  shell.onText((more) => {
    text += more;
  });
  return { shell, text: () => text };
}

it('gives the user their environment, without what is ours', () => {
  const environment = shellEnvironment({
    HOME: '/home/me',
    HOLDFAST_SSH_PASSWORD: 'x',
    HOLDFAST_SUDO_PASSWORD: 'x',
    HOLDFAST_KEY_PASSPHRASE: 'x',
    HOLDFAST_LAB: 'mine',
    npm_config_cache: '/x',
    NODE_OPTIONS: '--inspect',
    ELECTRON_RUN_AS_NODE: '1',
    TMUX: '/tmp/tmux',
    LANG: 'C',
  });
  expect(environment).toEqual({
    HOME: '/home/me',
    HOLDFAST_LAB: 'mine',
    LANG: 'C',
    LC_CTYPE: process.platform === 'darwin' ? 'UTF-8' : 'C.UTF-8',
    TERM: 'xterm-256color',
    COLORTERM: 'truecolor',
  });
  expect(shellEnvironment({ LANG: 'fr_FR.UTF-8' })['LC_CTYPE']).toBeUndefined();
});

it('takes a shell that exists', () => {
  const { file } = shellProgram({ SHELL: '/no/such/shell' });
  expect(existsSync(file)).toBe(true);
});

it('says why where there is no terminal', async () => {
  const load = (): Promise<never> => Promise.reject(new Error('Cannot find module pty.node\nRequire stack: …'));
  const fault = await openLocalShell({ ...size, environment: process.env, load }).then(
    () => null,
    (error: unknown) => Fault.from(error),
  );
  expect(fault?.code).toBe('terminal-unavailable');
  expect(fault?.details['reason']).toBe('Cannot find module pty.node');
});

it('runs, knows its size, and ends with its code', async () => {
  const { shell, text } = await open();
  shell.type('stty size\r');
  await expect.poll(text).toContain('24 80');
  shell.resize({ columns: 132, rows: 43 });
  shell.type('stty size; exit 7\r');
  expect(await shell.ended).toEqual({ code: 7, fault: null });
  expect(text()).toContain('43 132');
});

it('loses nothing of what was said before the end, also while it is not read', async () => {
  const { shell, text } = await open();
  shell.type('stty -echo\r');
  shell.pause();
  shell.type('i=0; while [ $i -lt 200 ]; do echo line-$i-é; i=$((i+1)); done; exit\r');
  expect((await shell.ended).code).toBe(0);
  const lines = text().match(/line-\d+-é/g) ?? [];
  expect(lines).toHaveLength(200);
});

it('is gone when it is closed, also when it does not want to', async () => {
  const { shell, text } = await open();
  shell.type("trap '' HUP TERM; echo pid=$$; while :; do sleep 1; done\r");
  await expect.poll(text).toMatch(/pid=\d+/);
  const pid = Number(/pid=(\d+)/.exec(text())?.[1]);
  shell.close();
  expect((await shell.ended).fault).toBe('ended-by-signal');
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
