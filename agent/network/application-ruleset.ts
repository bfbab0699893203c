/**
 * The lease as the kernel enforces it on a whole application: every packet that its processes send or are sent, whatever the address. The same two sets as for
 * addresses (nft-ruleset.ts), of control groups instead: `socket cgroupv2` (Linux 5.13) tells to which one a socket belongs. A table of its own, because a
 * kernel that lacks this refuses all of it. Pure.
 *
 * The loopback stays open: what a stop script says to its application is no harm, and files are guarded by the replicator's own deadline.
 */

export const applicationTable = 'holdfast_applications';
/** A service in a slice of a slice is at level 3; a container that it made may be at level 5. */
export const levels = [1, 2, 3, 4, 5] as const;
export const applicationRules = levels.length * 2;

const chains = [
  ['leaving', 'output', 'oifname'],
  ['arriving', 'input', 'iifname'],
] as const;

/** Makes the table what it should be, whatever was there; leases that run in the kernel go on. */
export function applicationRulesetText(): string {
  const table = `inet ${applicationTable}`;
  const lines = [
    `add table ${table}`,
    `add set ${table} managed { type cgroupsv2; }`,
    `add set ${table} leased { type cgroupsv2; flags timeout; }`,
  ];
  for (const [name, hook, other] of chains) {
    lines.push(
      `add chain ${table} ${name} { type filter hook ${hook} priority -300; policy accept; }`,
      `flush chain ${table} ${name}`,
    );
    for (const level of levels)
      lines.push(
        `add rule ${table} ${name} ${other} != "lo" socket cgroupv2 level ${level} @managed socket cgroupv2 level ${level} != @leased drop`,
      );
  }
  return `${lines.join('\n')}\n`;
}

export function applicationRemovalText(): string {
  return `add table inet ${applicationTable}\ndelete table inet ${applicationTable}\n`;
}
