/**
 * Terminals: which are open, which one is looked at. Light enough for every screen to import; what draws them is loaded when the first one is
 * opened.
 *
 *     terminals.open({ cluster: 'site-a', node: 'n2' })                          a terminal on n2
 *     terminals.open({ cluster, node }, { command: 'holdfast status' })          typed there, not sent
 *     terminals.open({ cluster, node }, { command: 'holdfast status', run: true })
 *     terminals.open('local')                                                    a terminal on this computer
 */
import type { ClusterStatus } from '../../agent/contract/index.ts';
import { app } from '../app.svelte.ts';
import { clusters } from '../clusters.svelte.ts';
import { palette } from '../palette/palette.svelte.ts';
import type { TroubleshootingCommand } from './commands.ts';
import { terminalActions } from './palette-actions.ts';
import { TerminalTab, type TerminalTarget } from './terminal-tab.svelte.ts';

export type { TerminalTarget } from './terminal-tab.svelte.ts';

export interface OpenOptions {
  /** Typed as soon as the shell is there. */
  readonly command?: string;
  /** With Enter: only for what looks and changes nothing. */
  readonly run?: boolean;
  /** With sudo, where somebody else than root logs in. */
  readonly asRoot?: boolean;
  /** A new tab even where one for this place is open. */
  readonly another?: boolean;
}

/** Enough to read, and the answer to "is the data protected?" stays in sight. */
const heightDefault = Math.round(Math.min(480, Math.max(288, innerHeight * 0.44)));
/** Some lines, and the strip of tabs. */
export const heightMin = 144;

function sameTarget(a: TerminalTarget, b: TerminalTarget): boolean {
  if (a === 'local' || b === 'local') return a === b;
  return a.cluster === b.cluster && a.node === b.node;
}

export class Terminals {
  /** The drawer is seen. */
  isOpen = $state(false);
  isMaximised = $state(false);
  /** Pixels. */
  height = $state(heightDefault);
  /** The list of commands stands beside the terminal. */
  commandsShown = $state(true);
  /** For people who listen: costs speed, so only when asked for. */
  screenReader = $state(false);
  tabs = $state.raw<readonly TerminalTab[]>([]);
  currentKey = $state<number | null>(null);
  readonly current = $derived(this.tabs.find(({ key }) => key === this.currentKey) ?? null);
  /** Of clusters that were looked at: where terminals can be opened. */
  #statuses = $state.raw<Readonly<Record<string, ClusterStatus>>>({});
  #nextKey = 1;
  /** What had the focus before the drawer was opened. */
  #before: HTMLElement | null = null;

  constructor() {
    app.on('cluster', ({ cluster, view }) => {
      const status = view.kind === 'read' ? view.status : view.kind === 'unreadable' ? view.last : null;
      if (status !== null) this.#statuses = { ...this.#statuses, [cluster]: status };
    });
    app.on('terminalData', ({ terminal, data }) => this.#tabOf(terminal)?.receive(data));
    app.on('terminalEnded', ({ terminal, code, fault }) => this.#tabOf(terminal)?.finish(code, fault));
    app.whenConnected(() => {
      // Shells belong to the conversation with the app that opened them.
      for (const tab of this.tabs) tab.lose();
    });
    // The key left of 1, whatever a keyboard calls it; before the shell gets to see it.
    addEventListener(
      'keydown',
      (event) => {
        if (event.code !== 'Backquote' || !event.ctrlKey || event.shiftKey || event.altKey || event.metaKey) return;
        event.preventDefault();
        event.stopPropagation();
        this.toggle();
      },
      { capture: true },
    );
  }

  #tabOf(terminal: string): TerminalTab | undefined {
    return this.tabs.find((tab) => tab.terminal === terminal);
  }

  /** The cluster whose screen is open. */
  get cluster(): string | null {
    return app.route.screen === 'cluster' ? app.route.cluster : null;
  }

  #status(cluster: string): ClusterStatus | null {
    const read = this.#statuses[cluster];
    if (read !== undefined) return read;
    const view = clusters.list?.find(({ id }) => id === cluster)?.view;
    return view?.kind === 'read' ? view.status : view?.kind === 'unreadable' ? view.last : null;
  }

  /** Servers of the cluster that is open, the witness last. */
  get servers(): readonly { readonly cluster: string; readonly node: string }[] {
    const { cluster } = this;
    const status = cluster === null ? null : this.#status(cluster);
    if (cluster === null || status === null) return [];
    const names = status.nodes.map(({ name }) => name);
    return [...names, ...(status.witness.kind === 'voting' ? ['witness'] : [])].map((node) => ({ cluster, node }));
  }

  /** Where somebody who opens a terminal now most likely wants to be: a server that answers and has something to tell. */
  get likeliest(): TerminalTarget {
    const { cluster, servers } = this;
    const status = cluster === null ? null : this.#status(cluster);
    if (status === null || cluster === null) return servers[0] ?? 'local';
    const troubled = (name: string): boolean =>
      status.modules.some(({ nodes }) => nodes.some((on) => on.name === name && on.reason !== undefined));
    const answering = status.nodes.filter(({ reachable }) => reachable);
    const node = (answering.find(({ name }) => troubled(name)) ?? answering[0] ?? status.nodes[0])?.name;
    return node === undefined ? 'local' : { cluster, node };
  }

  open(target: TerminalTarget, options: OpenOptions = {}): void {
    this.show();
    const same = this.tabs.filter((tab) => sameTarget(tab.target, target) && tab.takesCommands);
    const existing = same.find(({ key }) => key === this.currentKey) ?? same[0];
    const tab = options.another === true || existing === undefined ? this.#add(target) : existing;
    this.currentKey = tab.key;
    const { command, run = false, asRoot = false } = options;
    if (command !== undefined) tab.typeCommand({ command, run, asRoot });
    tab.focusWanted++;
  }

  #add(target: TerminalTarget): TerminalTab {
    const number = this.tabs.filter((tab) => sameTarget(tab.target, target)).length + 1;
    const tab = new TerminalTab(this.#nextKey++, target, number);
    this.tabs = [...this.tabs, tab];
    return tab;
  }

  close(tab: TerminalTab): void {
    const at = this.tabs.indexOf(tab);
    if (at < 0) return;
    tab.close();
    this.tabs = this.tabs.filter((other) => other !== tab);
    const next = this.tabs[at] ?? this.tabs[at - 1] ?? null;
    if (this.currentKey === tab.key) this.currentKey = next?.key ?? null;
    if (next === null) this.hide();
    else next.focusWanted++;
  }

  select(tab: TerminalTab): void {
    this.currentKey = tab.key;
  }

  show(): void {
    if (this.isOpen) return;
    this.#before = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    this.isOpen = true;
  }

  hide(): void {
    this.isOpen = false;
    this.isMaximised = false;
    this.#before?.focus();
    this.#before = null;
  }

  /** Where a command would be typed: the tab that is looked at, else the server that most likely matters. Null: there is no server. */
  get commandServer(): Exclude<TerminalTarget, 'local'> | null {
    const seen = this.current?.target ?? 'local';
    if (seen !== 'local') return seen;
    const { likeliest } = this;
    return likeliest === 'local' ? null : likeliest;
  }

  /** With Enter only when it just looks. */
  runCommand({ line, changes, asRoot }: TroubleshootingCommand): void {
    const server = this.commandServer;
    if (server !== null) this.open(server, { command: line, run: !changes, asRoot });
  }

  /** The one key. */
  toggle(): void {
    if (this.isOpen) this.hide();
    else if (this.current === null || this.#isElsewhere(this.current)) this.open(this.likeliest);
    else {
      this.show();
      this.current.focusWanted++;
    }
  }

  /** A tab of another cluster than the one that is looked at. */
  #isElsewhere(tab: TerminalTab): boolean {
    return this.cluster !== null && tab.target !== 'local' && tab.target.cluster !== this.cluster;
  }
}

export const terminals = new Terminals();

palette.register(() => terminalActions(terminals));
