/**
 * OpenSSH client configuration, the part that says how to reach a host: Host patterns, Include, HostName, Port, User, IdentityFile,
 * IdentitiesOnly, IdentityAgent, ProxyCommand, ProxyJump, UserKnownHostsFile. First value wins, identity files add up (ssh_config(5)).
 * `Match` blocks other than `Match all` are left out. Parsing and resolving are pure.
 */

export interface SshConfigBlock {
  readonly patterns: readonly string[];
  readonly settings: readonly { readonly key: string; readonly value: string }[];
}
export type SshConfig = readonly SshConfigBlock[];

export interface SshHostSettings {
  readonly hostName: string;
  readonly port: number | null;
  readonly user: string | null;
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** null: SSH_AUTH_SOCK decides; 'none': no agent. */
  readonly identityAgent: string | null;
  readonly proxyCommand: string | null;
  readonly proxyJump: string | null;
  readonly userKnownHostsFiles: readonly string[] | null;
  readonly connectTimeoutMs: number | null;
}

/** `Key value`, `Key=value`, `Key "quoted value"`; null for comments and empty lines. */
export function parseSetting(line: string): { key: string; value: string } | null {
  const match = /^\s*([A-Za-z][A-Za-z0-9]*)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line);
  if (!match?.[1] || match[2] === undefined) return null;
  return { key: match[1].toLowerCase(), value: match[2] };
}

/** Words of a value; quotes keep spaces. */
export function words(value: string): string[] {
  return [...value.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');
}

/** `include` gives the text of every file that an Include names. */
export function parseSshConfig(text: string, include: (pattern: string) => readonly string[] = () => []): SshConfig {
  const blocks: SshConfigBlock[] = [];
  let patterns: readonly string[] = ['*'];
  let settings: { key: string; value: string }[] = [];
  const finish = (): void => {
    if (settings.length > 0) blocks.push({ patterns, settings });
    settings = [];
  };
  for (const line of text.split(/\r?\n/)) {
    const setting = parseSetting(line);
    if (!setting) continue;
    if (setting.key === 'host') {
      finish();
      patterns = words(setting.value);
    } else if (setting.key === 'match') {
      finish();
      patterns = setting.value.trim().toLowerCase() === 'all' ? ['*'] : [];
    } else if (setting.key === 'include') {
      finish();
      for (const included of words(setting.value).flatMap((pattern) => [...include(pattern)])) {
        // An Include inside a Host block counts for that host only.
        for (const block of parseSshConfig(included, include)) {
          if (patterns.length === 1 && patterns[0] === '*') blocks.push(block);
          else if (block.patterns.length === 1 && block.patterns[0] === '*') {
            blocks.push({ patterns, settings: block.settings });
          }
        }
      }
    } else {
      settings.push(setting);
    }
  }
  finish();
  return blocks;
}

/** `*` and `?`, and `!pattern` to except (ssh_config(5), PATTERNS). */
export function matchesPatterns(patterns: readonly string[], host: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    const negated = pattern.startsWith('!');
    const body = negated ? pattern.slice(1) : pattern;
    // Nearly all of a known_hosts of ten thousand lines.
    if (!negated && !/[*?]/.test(body)) {
      matched ||= body.toLowerCase() === host.toLowerCase();
      continue;
    }
    const expression = body
      .replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    if (!new RegExp(`^${expression}$`, 'i').test(host)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

export function resolveHost(config: SshConfig, host: string): SshHostSettings {
  const settings = config.filter((block) => matchesPatterns(block.patterns, host)).flatMap((block) => block.settings);
  const first = (key: string): string | null => {
    return settings.find((setting) => setting.key === key)?.value ?? null;
  };
  const firstWord = (key: string): string | null => {
    const value = first(key);
    return value === null ? null : (words(value)[0] ?? '');
  };
  const port = Number(firstWord('port') ?? '');
  const timeoutSeconds = Number(firstWord('connecttimeout') ?? '');
  const proxyCommand = first('proxycommand');
  const proxyJump = firstWord('proxyjump');
  const knownHosts = first('userknownhostsfile');
  return {
    hostName: (firstWord('hostname') ?? '%h').replaceAll('%%', '%').replaceAll('%h', host),
    port: Number.isInteger(port) && port > 0 ? port : null,
    user: firstWord('user'),
    identityFiles: settings
      .filter((setting) => setting.key === 'identityfile')
      .map(({ value }) => words(value)[0] ?? ''),
    identitiesOnly: firstWord('identitiesonly')?.toLowerCase() === 'yes',
    identityAgent: firstWord('identityagent'),
    proxyCommand: proxyCommand === null || proxyCommand.toLowerCase() === 'none' ? null : proxyCommand,
    proxyJump: proxyJump === null || proxyJump.toLowerCase() === 'none' ? null : proxyJump,
    userKnownHostsFiles: knownHosts === null ? null : words(knownHosts),
    connectTimeoutMs: timeoutSeconds > 0 ? timeoutSeconds * 1000 : null,
  };
}

/** %h %p %r %n %u %d %%. */
export function expandTokens(text: string, tokens: Readonly<Record<string, string>>): string {
  return text.replaceAll(/%(.)/g, (whole, token: string) => (token === '%' ? '%' : (tokens[token] ?? whole)));
}

/** `[user@]host[:port]`, also `ssh://user@host:port`; an IPv6 address stands in brackets when a port follows. */
export function parseDestination(text: string): { user: string | null; host: string; port: number | null } {
  const plain = text.replace(/^ssh:\/\//, '').replace(/\/$/, '');
  const at = plain.lastIndexOf('@');
  const user = at < 0 ? null : plain.slice(0, at);
  const rest = plain.slice(at + 1);
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(rest);
  if (!match) return { user, host: rest, port: null };
  return { user, host: match[1] ?? match[2] ?? rest, port: match[3] === undefined ? null : Number(match[3]) };
}
