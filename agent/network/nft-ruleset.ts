/**
 * The kernel-enforced lease, as text for `nft -f`. An address in `managed` passes only while it is in `leased`, whose elements
 * vanish by themselves: a host whose agent hangs or is frozen falls silent without having to act. Pure.
 *
 * The chains stand before connection tracking: an `established` accept of anybody's firewall cannot let a fenced address through, because
 * an accept ends only its own chain and a drop here is final. Arriving packets are judged before, leaving ones also after address
 * translation, so that ports published by containers are cut as well.
 */

export const tableName = 'holdfast';
export const families = ['inet', 'arp'] as const;
export type Family = (typeof families)[number];

const rawPriority = -300;
/** After `srcnat` (100): replies of translated connections have the virtual address as their source only then. */
const afterTranslationPriority = 300;

const chains: Readonly<
  Record<Family, readonly (readonly [name: string, hook: string, priority: number, match: string])[]>
> = {
  inet: [
    ['arriving', 'prerouting', rawPriority, 'ip daddr'],
    ['leaving', 'output', rawPriority, 'ip saddr'],
    ['departing', 'postrouting', afterTranslationPriority, 'ip saddr'],
  ],
  arp: [
    ['arriving', 'input', rawPriority, 'arp daddr ip'],
    ['leaving', 'output', rawPriority, 'arp saddr ip'],
  ],
};

export interface LeasedAddress {
  readonly address: string;
  readonly remainingMs: number;
}

/**
 * One transaction: makes the tables what they should be whatever was there. Leases that run in the kernel go on (the
 * agent restarted); `leased` puts back those that a foreign `nft flush ruleset` took with it.
 */
export function rulesetText(managed: readonly string[], leased: readonly LeasedAddress[]): string {
  const lines: string[] = [];
  for (const family of families) {
    const table = `${family} ${tableName}`;
    lines.push(
      `add table ${table}`,
      `add set ${table} managed { type ipv4_addr; }`,
      `add set ${table} leased { type ipv4_addr; flags timeout; }`,
      `flush set ${table} managed`,
    );
    for (const [name, hook, priority, match] of chains[family])
      lines.push(
        `add chain ${table} ${name} { type filter hook ${hook} priority ${priority}; policy accept; }`,
        `flush chain ${table} ${name}`,
        `add rule ${table} ${name} ${match} @managed ${match} != @leased drop`,
      );
    if (managed.length > 0) lines.push(`add element ${table} managed { ${managed.join(', ')} }`);
    for (const { address, remainingMs } of leased)
      lines.push(
        `add element ${table} leased { ${address} }`,
        `delete element ${table} leased { ${address} }`,
        `add element ${table} leased { ${address} timeout ${Math.max(1, Math.floor(remainingMs))}ms }`,
      );
  }
  return `${lines.join('\n')}\n`;
}

/** Deletes what may not be there. */
export function removalText(): string {
  return families.map((family) => `add table ${family} ${tableName}\ndelete table ${family} ${tableName}\n`).join('');
}
