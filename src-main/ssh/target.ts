/** What the configuration makes of `user@host`. */
import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import path from 'node:path';
import type { SecretSource } from '../secrets/index.ts';
import type { HostKeyPolicy } from './host-keys.ts';
import { expandTokens, parseDestination, resolveHost, type SshConfig, type SshHostSettings } from './ssh-config.ts';

export interface SshTarget {
  /** `user@host`, as in the configuration file. */
  readonly destination: string;
  readonly port?: number | undefined;
}

export interface SshEnvironment {
  readonly config: SshConfig;
  readonly secrets: SecretSource;
  readonly hostKeys: HostKeyPolicy;
  /** `--identity`: tried before all others. */
  readonly identity?: string | undefined;
  readonly agentSocket?: string | null | undefined;
}

export interface ResolvedTarget {
  /** As written by the person. */
  readonly host: string;
  readonly settings: SshHostSettings;
  readonly user: string;
  readonly port: number;
  readonly tokens: Readonly<Record<string, string>>;
}

/** Where the OpenSSH of Windows keeps its agent. */
const windowsAgentPipe = String.raw`\\.\pipe\openssh-ssh-agent`;

export function inHome(file: string, tokens: Readonly<Record<string, string>>): string {
  const expanded = expandTokens(file, tokens);
  return expanded.startsWith('~/') ? path.join(homedir(), expanded.slice(2)) : expanded;
}

export function resolveTarget(target: SshTarget, config: SshConfig): ResolvedTarget {
  const wanted = parseDestination(target.destination);
  const settings = resolveHost(config, wanted.host);
  const user = wanted.user ?? settings.user ?? userInfo().username;
  const port = target.port ?? wanted.port ?? settings.port ?? 22;
  const tokens = {
    h: settings.hostName,
    n: wanted.host,
    p: String(port),
    r: user,
    u: userInfo().username,
    d: homedir(),
  };
  return { host: wanted.host, settings, user, port, tokens };
}

/** Those that somebody chose, and those that OpenSSH tries where nobody did. */
export function identityFiles(
  resolved: ResolvedTarget,
  environment: SshEnvironment,
): { readonly chosen: string[]; readonly usual: string[] } {
  const { settings, tokens } = resolved;
  const configured = settings.identityFiles.map((file) => inHome(file, tokens));
  const explicit = environment.identity === undefined ? [] : [inHome(environment.identity, tokens)];
  const usual =
    configured.length > 0 ? [] : ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => path.join(homedir(), '.ssh', name));
  const present = (files: readonly string[]): string[] => files.filter((file) => existsSync(file));
  return { chosen: present([...explicit, ...configured]), usual: present(usual) };
}

export function agentSocket(settings: SshHostSettings, environment: SshEnvironment): string | null {
  if (settings.identityAgent?.toLowerCase() === 'none') return null;
  if (settings.identityAgent !== null && settings.identityAgent !== 'SSH_AUTH_SOCK') return settings.identityAgent;
  if (environment.agentSocket !== undefined) return environment.agentSocket;
  const socket = process.env['SSH_AUTH_SOCK'];
  if (socket !== undefined && socket !== '') return socket;
  return process.platform === 'win32' && existsSync(windowsAgentPipe) ? windowsAgentPipe : null;
}
