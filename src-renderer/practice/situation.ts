/** What the plugs and cables of the practice servers mean, in one sentence: what will be seen next. Pure. */
import type { Practice } from '../../src-main/app-api/index.ts';
import type { Messages } from '../messages/messages.ts';

type Host = Practice['hosts'][number];

const isThere = (host: Host): boolean => host.on && host.connected;

export function hostTitle(words: Messages, host: Host): string {
  return host.name === 'witness' ? words.practice.witness : host.name;
}

export function practiceSentence(words: Messages, hosts: readonly Host[]): string {
  const said = words.practice;
  const servers = hosts.filter((host) => host.name !== 'witness');
  const [first, ...others] = servers.filter((host) => !isThere(host));
  if (first !== undefined && others.length > 0) return said.whenBothOff;
  if (first !== undefined) return first.on ? said.whenCut(first.name) : said.whenOff(first.name);
  return hosts.every(isThere) ? said.whenWhole : said.whenWitnessGone;
}

/** In the user's language; the sentences of the app where this version does not know the code. */
export function obstacleWords(
  words: Messages,
  obstacle: NonNullable<Practice['obstacle']>,
): { readonly what: string; readonly remedy: string } {
  const { obstacles } = words.practice;
  const known = Object.hasOwn(obstacles, obstacle.code) ? obstacles[obstacle.code] : undefined;
  return known?.(obstacle.remedy) ?? { what: obstacle.message, remedy: obstacle.remedy };
}
