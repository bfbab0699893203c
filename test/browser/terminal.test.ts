/** Terminals on the screen: a real shell of this machine, drawn by xterm.js under the strict policy; servers as a test scripts them. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { Fault } from '../../agent/contract/index.ts';
import { createSecretStore } from '../../src-main/secrets/index.ts';
import { createServerAccess } from '../../src-main/servers/index.ts';
import { createTerminalsPart } from '../../src-main/terminals/index.ts';
import { knownCluster } from './demonstration-clusters.ts';
import { demonstrate, type Demonstration } from './demonstration-parts.ts';
import { axeViolations } from './looks.ts';
import { openApp, useBrowser, type OpenOptions } from './opened-app.ts';
import { eventually, terminalPanel, TerminalPage } from './pages/terminal-page.ts';
import { slowdown } from '../run/slowdown.ts';

useBrowser();

/** An app whose shell is this machine's own. */
async function openReal(options: OpenOptions = {}): Promise<TerminalPage> {
  const access = createServerAccess({
    secrets: createSecretStore(),
    hostKeysFile: '/nonexistent/known_hosts',
    logins: { identityOf: () => null, remember: () => Promise.resolve() },
    agentSocket: null,
    sshConfig: () => [],
  });
  onTestFinished(() => access[Symbol.asyncDispose]());
  const terminals = createTerminalsPart({
    access,
    machineOf: (_cluster, node) => Promise.resolve({ destination: node }),
    environment: { ...process.env, SHELL: '/bin/sh', PS1: '> ', HOME: '/' },
  });
  const { page } = await openApp({ ...demonstrate(), terminals }, options);
  await page.getByRole('heading', { level: 1 }).waitFor();
  const terminal = new TerminalPage(page);
  await terminal.toggle();
  await terminal.shows(/[>#$] ?$/m);
  return terminal;
}

interface Scripted {
  readonly terminal: TerminalPage;
  readonly parts: Demonstration;
}

/** An app on a cluster; what its servers answer is scripted. */
async function openScripted(prepare: (parts: Demonstration) => void = () => undefined): Promise<Scripted> {
  const parts = demonstrate({ clusters: [knownCluster('site-a')] });
  prepare(parts);
  const { page } = await openApp(parts, { hash: '#/cluster/site-a' });
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.getByText('10.77.0.50').first().waitFor();
  return { terminal: new TerminalPage(page), parts };
}

describe('a shell of this computer', () => {
  test('is one key away, runs, and is hidden by the same key with everything in it', async () => {
    const terminal = await openReal();
    await terminal.type('echo héllo-$((6*7))\n');
    await terminal.shows(/^héllo-42$/m);
    await terminal.toggle();
    await expect.poll(() => terminal.panel.isVisible(), eventually).toBe(false);
    await terminal.toggle();
    await terminal.shows(/^héllo-42$/m);
    // The keyboard is where it was: in the shell.
    await terminal.type('echo again\n');
    await terminal.shows(/^again$/m);
    expect(await axeViolations(terminal.page, terminalPanel)).toEqual([]);
  });

  test('draws any colour, in both themes, without anything that the policy forbids', async () => {
    const terminal = await openReal();
    await terminal.type(
      "printf '\\033[38;2;200;60;10mtrue\\033[0m \\033[32mgreen\\033[0m \\033[48;5;25mback\\033[0m\\n'\n",
    );
    await terminal.shows(/^true green back$/m);
    const colour = (text: string, property: string): Promise<string> => terminal.style(text, property);
    const light = [
      await colour('true', 'color'),
      await colour('green', 'color'),
      await colour('back', 'background-color'),
    ];
    expect(light[0]).toMatch(/^rgb\(2\d\d|^rgb\(1[5-9]\d/);
    expect(light[1]).toBe('rgb(26, 122, 60)');
    expect(light[2]).not.toBe('rgba(0, 0, 0, 0)');
    await terminal.page.getByRole('button', { name: 'Dark or light' }).click();
    await expect.poll(() => colour('green', 'color'), eventually).toBe('rgb(125, 219, 154)');
    // The size of a row comes from such a style, too.
    const boxes = await Promise.all((await terminal.rows.all()).map((row) => row.boundingBox()));
    expect(new Set(boxes.map((box) => box?.height))).toEqual(new Set([18]));
  });

  test('knows its window, which the keyboard and the mouse resize', async () => {
    const terminal = await openReal();
    let asked = 0;
    // Each answer has its own number: what stands there from before is none.
    const lines = async (): Promise<number> => {
      const answer = new RegExp(`^window ${String(++asked)} (\\d+) \\d+$`, 'm');
      await terminal.type(`clear; echo window ${String(asked)} $(stty size)\n`);
      await terminal.shows(answer);
      return Number(answer.exec(await terminal.text())?.[1]);
    };
    const before = await lines();
    expect(before).toBe(await terminal.rows.count());
    const handle = terminal.panel.getByRole('separator');
    await handle.focus();
    for (let step = 0; step < 5; step++) await terminal.page.keyboard.press('ArrowUp');
    await expect.poll(() => terminal.rows.count(), eventually).toBeGreaterThan(before);
    await terminal.view.locator('textarea').focus();
    // The drawer may still be growing: both are asked until they are the same.
    await expect.poll(async () => (await lines()) - (await terminal.rows.count()), eventually).toBe(0);
    const taller = await terminal.rows.count();

    const box = await handle.boundingBox();
    if (box === null) throw new Error('the edge of the drawer is not there');
    await terminal.page.mouse.move(box.x + 400, box.y + 4);
    await terminal.page.mouse.down();
    await terminal.page.mouse.move(box.x + 400, box.y + 124, { steps: 4 });
    await terminal.page.mouse.up();
    await expect.poll(() => terminal.rows.count(), eventually).toBeLessThan(taller);
    await terminal.button('Maximise').click();
    await expect.poll(() => terminal.rows.count(), eventually).toBeGreaterThan(taller);
  });

  test('copies what is selected; several lines are pasted only after a look at them', async () => {
    const terminal = await openReal();
    await terminal.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await terminal.type('echo copy-me\n');
    await terminal.shows(/^copy-me$/m);
    const word = terminal.view.locator('.xterm-rows span', { hasText: /^copy-me/ }).last();
    const box = await word.boundingBox();
    if (box === null) throw new Error('the word is not there');
    await terminal.page.mouse.dblclick(box.x + 8, box.y + 8);
    await terminal.page.keyboard.press('Control+Shift+C');
    const clipboard = (): Promise<string> => terminal.page.evaluate<string>('navigator.clipboard.readText()');
    await expect.poll(clipboard, eventually).toContain('copy');

    await terminal.paste('echo one line\n');
    await terminal.shows(/echo one line$/m);
    expect(await terminal.text()).not.toMatch(/^one line$/m);
    await terminal.type('\n');
    await terminal.shows(/^one line$/m);

    // What they print cannot be taken for what was typed.
    const lines = 'echo x$((1+1))\necho y$((2+2))\n';
    const dialog = terminal.page.getByRole('dialog', { name: 'Paste 2 lines?' });
    await terminal.paste(lines);
    await dialog.getByText('echo x$((1+1))').waitFor();
    await terminal.page.keyboard.press('Escape');
    await terminal.type('echo none\n');
    await terminal.shows(/^none$/m);
    expect(await terminal.text()).not.toMatch(/x2/);
    await terminal.paste(lines);
    await dialog.getByRole('button', { name: 'Paste and run' }).click();
    await terminal.shows(/x2$/m);
    await terminal.type('\n');
    await terminal.shows(/y4$/m);
  });

  test('is searched', async () => {
    const terminal = await openReal();
    await terminal.type('clear; for i in 1 2 3; do echo needle-$i; done\n');
    await terminal.shows(/^needle-3$/m);
    await terminal.page.keyboard.press('Control+Shift+F');
    const search = terminal.panel.getByRole('search');
    await terminal.type('needle-');
    await search
      .getByRole('status')
      .getByText(/of [34]/)
      .waitFor();
    await terminal.type('x');
    await search.getByText('Not found').waitFor();
    await terminal.page.keyboard.press('Escape');
    await expect.poll(() => search.count(), eventually).toBe(0);
    await terminal.type('echo back\n');
    await terminal.shows(/^back$/m);
  });

  test('keeps its screen when it ends, and can be opened again', async () => {
    const terminal = await openReal();
    await terminal.type('echo farewell; exit 4\n');
    await terminal.panel.getByText(/^The shell ended \d\d:\d\d:\d\d with code 4\.$/).waitFor();
    await terminal.shows(/^farewell$/m);
    await terminal.button('Open again').click();
    await terminal.type('echo hello again\n');
    await terminal.shows(/^hello again$/m);
    await terminal.shows(/^farewell$/m);
  });

  test('without a cluster, the commands lie below the field that searches them', async () => {
    const terminal = await openReal();
    const field = await terminal.panel.getByRole('searchbox').boundingBox();
    const group = await terminal.panel.getByRole('heading', { level: 3 }).first().boundingBox();
    if (field === null || group === null) throw new Error('the commands are not shown');
    expect(group.y).toBeGreaterThanOrEqual(field.y + field.height);
  });

  test('survives a flood: the page stays alive, and Ctrl C is answered', async () => {
    const terminal = await openReal();
    await terminal.type('yes 0123456789012345678901234567890123456789\n');
    await terminal.shows(/^0123456789012345678901234567890123456789$/m);
    // Long enough for whatever would pile up: some megabytes are drawn.
    const drawn = (): Promise<number> =>
      terminal.page.evaluate<number>(`document.querySelectorAll('.xterm-rows > div').length`);
    for (let round = 0; round < 20; round++) expect(await drawn()).toBeGreaterThan(5);
    const beganAtMs = performance.now();
    await terminal.page.keyboard.press('Control+C');
    await terminal.shows(/\^C[^]*> ?$/m);
    // The page is asked over and over meanwhile: a second for the answer, and one for asking.
    const answeredMs = performance.now() - beganAtMs;
    expect(answeredMs).toBeLessThan(2000 * (await slowdown()));
  });
});

describe('servers of a cluster', () => {
  test('the key opens the server that matters; more by the menu, each in its tab', async () => {
    const { terminal, parts } = await openScripted();
    await terminal.toggle();
    await terminal.shows(/root@n1/);
    await terminal.add('Open a terminal on n2');
    await terminal.shows(/root@n2/);
    await terminal.add('Open a terminal on n2');
    await terminal.tab('n2 (2)').waitFor();
    await terminal.tab('n1').click();
    await terminal.shows(/root@n1/);
    await terminal.page.keyboard.type('x');
    await expect
      .poll(() => parts.terminals.paramsOf('typeInTerminal').at(-1), eventually)
      .toEqual({ terminal: 'terminal-1', data: 'x' });
    await terminal.tab('n1').focus();
    await terminal.page.keyboard.press('ArrowRight');
    await terminal.shows(/root@n2/);
    await terminal.page.keyboard.press('Delete');
    await expect.poll(() => terminal.panel.getByRole('tab').count(), eventually).toBe(2);
    expect(parts.terminals.paramsOf('closeTerminal')).toEqual([{ terminal: 'terminal-2' }]);
    expect(await axeViolations(terminal.page, terminalPanel)).toEqual([]);
  });

  test('a command that looks runs at once; one that changes something is typed and waits', async () => {
    const { terminal, parts } = await openScripted();
    await terminal.toggle();
    await terminal.shows(/root@n1/);
    const typed = (): string =>
      parts.terminals
        .paramsOf('typeInTerminal')
        .map(({ data }) => data)
        .join('');
    await terminal.command('Addresses').click();
    await expect.poll(typed, eventually).toMatch(/ip -br address\r$/);
    await terminal.panel.getByRole('searchbox', { name: 'Search the commands' }).fill('restart agent');
    await terminal.command('Restart the agent').click();
    await expect.poll(typed, eventually).toMatch(/systemctl restart holdfastd$/);
    await terminal.panel.getByRole('searchbox').fill('zebra');
    await terminal.panel.getByText('No command is about that.').waitFor();
  });

  test('somebody else than root gets sudo typed for what needs it, and only for that', async () => {
    const { terminal, parts } = await openScripted((given) => {
      given.terminals.answer('openServerTerminal', async () => ({ terminal: 'mine', user: 'admin' }));
    });
    await terminal.toggle();
    await terminal.tab('n1').waitFor();
    const typed = (): string[] => parts.terminals.paramsOf('typeInTerminal').map(({ data }) => data);
    await terminal.command('Open ports').click();
    await expect.poll(() => typed().at(-1), eventually).toMatch(/sudo ss -tlnp\r$/);
    await terminal.command('Clock').click();
    await expect.poll(() => typed().at(-1), eventually).toMatch(/timedatectl\r$/);
    expect(typed().at(-1)).not.toContain('sudo');
  });

  test('a command by name, from the palette, before any terminal is open', async () => {
    const { terminal, parts } = await openScripted();
    await terminal.page.keyboard.press('Control+K');
    await terminal.type('disk space');
    await terminal.page.getByRole('option', { name: /Disk space, n1/ }).click();
    await expect
      .poll(() => parts.terminals.paramsOf('typeInTerminal').map(({ data }) => data), eventually)
      .toEqual(['df -hT -x tmpfs -x devtmpfs -x overlay\r']);
  });

  test('a lost connection says so, keeps the screen, and is made again', async () => {
    const { terminal, parts } = await openScripted();
    await terminal.toggle();
    await terminal.shows(/root@n1/);
    parts.terminals.print('terminal-1', 'last words\r\n');
    await terminal.shows(/last words/);
    parts.terminals.end('terminal-1', null, 'connection-lost');
    await terminal.panel.getByText(/^The connection to n1 was lost \d\d:\d\d:\d\d\.$/).waitFor();
    await terminal.shows(/last words/);
    expect(await axeViolations(terminal.page, terminalPanel)).toEqual([]);
    await terminal.button('Connect again').click();
    await expect.poll(() => parts.terminals.paramsOf('openServerTerminal').length, eventually).toBe(2);
    await terminal.shows(/last words[^]*root@n1/);
  });

  test('a password that is missing is asked for in the tab, a wrong one again', async () => {
    const { terminal, parts } = await openScripted((given) => {
      const details = { kind: 'ssh-password', user: 'admin', host: '10.77.0.11', wrong: false };
      given.terminals.answer('openServerTerminal', async () => {
        const secret = given.servers.paramsOf('giveSecret').at(-1)?.secret;
        if (secret === undefined) throw new Fault('secret-needed', { message: 'needed' }, details);
        if (secret !== 'right')
          throw new Fault(
            'login-refused',
            { message: 'no' },
            { host: '10.77.0.11', user: 'admin', tried: ['password'] },
          );
        return { terminal: 'opened', user: 'admin' };
      });
    });
    await terminal.toggle();
    const field = terminal.panel.getByLabel('Password of admin on 10.77.0.11');
    await field.waitFor();
    expect(await axeViolations(terminal.page, terminalPanel)).toEqual([]);
    await terminal.type('wrong\n');
    await terminal.panel.getByText('This was not the right one.').waitFor();
    await field.fill('right');
    await terminal.page.keyboard.press('Enter');
    await expect.poll(() => field.count(), eventually).toBe(0);
    expect(parts.servers.paramsOf('giveSecret').map(({ secret, remember }) => [secret, remember])).toEqual([
      ['wrong', false],
      ['right', false],
    ]);
  });

  test('a host key that is new or changed is shown before anybody types there', async () => {
    const { terminal, parts } = await openScripted((given) => {
      const key = { host: '10.77.0.11', port: 22, type: 'ssh-ed25519', fingerprint: 'SHA256:new' };
      given.terminals.answer('openServerTerminal', async () => {
        const accepted = given.servers.paramsOf('acceptHostKey').length;
        if (accepted === 0) throw new Fault('host-key-unknown', { message: 'unknown' }, key);
        if (accepted === 1)
          throw new Fault('host-key-changed', { message: 'changed' }, { ...key, expected: ['SHA256:old'] });
        return { terminal: 'opened' };
      });
    });
    await terminal.toggle();
    await terminal.panel.getByText('SHA256:new').first().waitFor();
    await terminal.button('It is the same: accept and connect').click();
    await terminal.panel
      .getByText(/expected SHA256:old/)
      .first()
      .waitFor();
    expect(await axeViolations(terminal.page, terminalPanel)).toEqual([]);
    await terminal.button('I know why it changed: accept the new one').click();
    await expect.poll(() => parts.terminals.paramsOf('openServerTerminal').length, eventually).toBe(3);
    expect(parts.servers.paramsOf('acceptHostKey')).toHaveLength(2);
  });

  test('a server that does not answer says what to do, and is tried again', async () => {
    let attempts = 0;
    const { terminal } = await openScripted((given) => {
      given.terminals.answer('openServerTerminal', async () => {
        if (attempts++ === 0) throw new Fault('ssh-unreachable', { message: 'no' }, { host: '10.77.0.11', port: 22 });
        return { terminal: 'opened' };
      });
    });
    await terminal.toggle();
    await terminal.panel.getByText('10.77.0.11 does not answer on port 22.').waitFor();
    await terminal.button('Try again').click();
    await expect.poll(() => terminal.button('Try again').count(), eventually).toBe(0);
  });

  test('in French, with the keys of a French keyboard', async () => {
    const parts = demonstrate({ clusters: [knownCluster('site-a')] });
    const { page } = await openApp(parts, { hash: '#/cluster/site-a', language: 'fr', theme: 'dark' });
    await page.getByText('10.77.0.50').first().waitFor();
    const terminal = new TerminalPage(page);
    await terminal.toggle();
    await terminal.shows(/root@n1/);
    await terminal.command('Redémarrer l’agent').waitFor();
    await terminal.page.locator('.xterm-screen').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Copier Ctrl Maj C' }).waitFor();
    expect(await axeViolations(page, terminalPanel)).toEqual([]);
  });
});
