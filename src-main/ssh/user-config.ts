/** The configuration files of this machine: those of running labs, the user's, the system's. First value wins, in this order. */
import { globSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { parseSshConfig, type SshConfig } from './ssh-config.ts';

const includeDepthMax = 8;

function readConfig(file: string, includeFrom: string, depth = 0): SshConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return parseSshConfig(text, (pattern) => {
    if (depth >= includeDepthMax) return [];
    const home = pattern.startsWith('~/') ? path.join(homedir(), pattern.slice(2)) : pattern;
    return globSync(path.resolve(includeFrom, home)).map((included) => {
      try {
        return readFileSync(included, 'utf8');
      } catch {
        return '';
      }
    });
  });
}

/** A configuration can name commands to run: only root's or our own, and nobody else may write it. */
function isTrusted(file: string): boolean {
  try {
    const { uid, mode } = statSync(file);
    return (uid === 0 || uid === process.getuid?.()) && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}

export function labConfigFile(environment: NodeJS.ProcessEnv = process.env): string | null {
  const name = environment['HOLDFAST_LAB'] ?? 'lab';
  const file = `/run/holdfast-lab/${name}/ssh_config`;
  return process.platform === 'linux' && /^[a-z0-9-]+$/.test(name) && isTrusted(file) ? file : null;
}

/** Addresses are the same in every lab; `n1.practice` is n1 of the lab `practice`, whichever `HOLDFAST_LAB` names. */
function labConfigFilesByName(): readonly string[] {
  if (process.platform !== 'linux') return [];
  return globSync('/run/holdfast-lab/*/ssh_config_by_name').filter(isTrusted).sort();
}

/** One file and what it includes; nothing when it cannot be read. */
export function readConfigFile(file: string): SshConfig {
  return readConfig(file, path.dirname(file));
}

export function readUserConfig(environment: NodeJS.ProcessEnv = process.env): SshConfig {
  const lab = labConfigFile(environment);
  const labs = [...(lab === null ? [] : [lab]), ...labConfigFilesByName()];
  const userDirectory = path.join(homedir(), '.ssh');
  return [
    ...labs.flatMap((file) => readConfig(file, path.dirname(file))),
    ...readConfig(path.join(userDirectory, 'config'), userDirectory),
    ...readConfig('/etc/ssh/ssh_config', '/etc/ssh'),
  ];
}
