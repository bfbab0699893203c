/**
 * Commands with which trouble is found, for servers whose login shell may be any: nothing but words, pipes and single quotes. What they show
 * and how to read it stands in the messages.
 */
import type { Messages } from '../messages/messages.ts';

export type CommandKey = keyof Messages['terminal']['commands'];
export type CommandGroup = keyof Messages['terminal']['groups'];

export interface TroubleshootingCommand {
  readonly key: CommandKey;
  readonly group: CommandGroup;
  readonly line: string;
  readonly asRoot: boolean;
  /** It changes something: it is typed, and a person sends it. */
  readonly changes: boolean;
}

type Line = readonly [key: CommandKey, line: string, more?: 'root' | 'changes'];

const groups: Readonly<Record<CommandGroup, readonly Line[]>> = {
  holdfast: [
    ['status', 'holdfast status', 'root'],
    ['resync', 'watch -n 2 holdfast status', 'root'],
    ['events', 'holdfast events | tail -n 50', 'root'],
    ['units', 'systemctl --no-pager --full status holdfastd holdfast-replicator', 'root'],
    ['agentLog', 'journalctl --no-pager -n 100 -u holdfastd', 'root'],
    ['replicatorLog', 'journalctl --no-pager -n 100 -u holdfast-replicator', 'root'],
    ['restartAgent', 'systemctl restart holdfastd', 'changes'],
  ],
  data: [
    ['mounts', 'findmnt -t fuse.holdfast'],
    ['space', 'df -hT -x tmpfs -x devtmpfs -x overlay'],
    ['fileNumbers', 'df -i -x tmpfs -x devtmpfs -x overlay'],
    ['diskLatency', 'iostat -xy 1 5'],
    ['pressure', 'vmstat -w 1 5'],
    ['users', "sh -c 'findmnt -ln -t fuse.holdfast -o TARGET | xargs -r -n 1 fuser -vm'", 'root'],
    ['trimJournal', 'journalctl --vacuum-size=200M', 'changes'],
  ],
  network: [
    [
      'reach',
      `grep -oE '"([0-9]+[.]){3}[0-9]+"' /etc/holdfast/cluster.json | tr -d '"' | sort -u | xargs -n 1 ping -q -c 3 -W 1`,
      'root',
    ],
    ['peerLink', "ss -tni '( sport = :7411 or dport = :7411 )'"],
    ['ports', 'ss -tlnp', 'root'],
    ['addresses', 'ip -br address'],
    ['neighbours', 'ip neigh'],
    ['fence', 'nft list table inet holdfast', 'root'],
  ],
  system: [
    ['time', 'timedatectl'],
    ['kernel', 'dmesg -T --level=emerg,alert,crit,err,warn | tail -n 50', 'root'],
    ['load', 'top -b -n 1 | head -n 20'],
    ['memory', 'free -h'],
    ['restarts', 'last -x -n 12 reboot shutdown'],
    ['syncClock', 'timedatectl set-ntp true', 'changes'],
  ],
};

export const troubleshootingCommands: readonly TroubleshootingCommand[] = Object.entries(groups).flatMap(
  ([group, lines]) =>
    lines.map(([key, line, more]) => ({
      key,
      group: group as CommandGroup,
      line,
      asRoot: more !== undefined,
      changes: more === 'changes',
    })),
);

/** Those in whose words or command line every word of the query occurs. */
export function findCommands(words: Messages['terminal'], query: string): readonly TroubleshootingCommand[] {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  return troubleshootingCommands.filter(({ key, group, line }) => {
    const { title, text } = words.commands[key];
    const all = `${title} ${text} ${line} ${words.groups[group]}`.toLowerCase();
    return wanted.every((word) => all.includes(word));
  });
}
