/** The app behind its screens, the same under every host: a host only brings ports on which screens speak. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { serve, type EventInput, type LinePort } from '../agent/contract/index.ts';
import {
  appApi,
  type AppApi,
  type ClusterHandlers,
  type HistoryHandlers,
  type PracticeHandlers,
  type PreferencesHandlers,
  type ServerHandlers,
  type TerminalHandlers,
  type WizardHandlers,
} from './app-api/index.ts';

/** One page that is open. */
export interface Screen {
  emit<E extends keyof AppApi['events']>(event: E, data: EventInput<AppApi, E>): void;
  onClose(listener: () => void): void;
}

/** A part of the main process: answers each screen; what it keeps for one ends when that screen closes. */
export interface AppPart<Handlers> extends AsyncDisposable {
  serve(screen: Screen): Handlers;
}

export interface AppParts {
  readonly clusters: AppPart<ClusterHandlers>;
  readonly history: AppPart<HistoryHandlers>;
  readonly servers: AppPart<ServerHandlers>;
  readonly wizard: AppPart<WizardHandlers>;
  readonly terminals: AppPart<TerminalHandlers>;
  readonly practice: AppPart<PracticeHandlers>;
  readonly preferences: AppPart<PreferencesHandlers>;
}

export async function disposeParts(parts: AppParts): Promise<void> {
  const all: readonly AsyncDisposable[] = Object.values(parts);
  // One that cannot end well must not keep the others from ending.
  await Promise.allSettled(all.map((part) => part[Symbol.asyncDispose]()));
}

/** Root of the installed app or of the checkout: the folder that holds package.json. */
export function readAppVersion(root: string): string {
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))).version;
}

export function serveScreen(port: LinePort, parts: AppParts, version: string): void {
  const listeners: (() => void)[] = [];
  const screen: Screen = {
    emit: (event, data) => server.emit(event, data),
    onClose: (listener) => listeners.push(listener),
  };
  port.onClose(() => {
    for (const listener of listeners) listener();
  });
  const server = serve(
    appApi,
    {
      ...parts.clusters.serve(screen),
      ...parts.history.serve(screen),
      ...parts.servers.serve(screen),
      ...parts.wizard.serve(screen),
      ...parts.terminals.serve(screen),
      ...parts.practice.serve(screen),
      ...parts.preferences.serve(screen),
    },
    port,
    version,
  );
}
