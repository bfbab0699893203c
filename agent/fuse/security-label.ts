/**
 * SELinux. For the policy everything on a FUSE filesystem is `fusefs_t`, which confined applications may not touch: PostgreSQL would not start on its
 * own data. Such a filesystem has one label for all its files, given when it is mounted; ours is the label of the directory below.
 */
import { existsSync } from 'node:fs';
import { getXattr } from '../sys/linux.ts';

const attribute = Buffer.from('security.selinux');
/** There once a policy is loaded. Without one the kernel refuses a mount that names a label. */
const policyFile = '/sys/fs/selinux/enforce';

/** Of the directory that the descriptor stands for; null where labels mean nothing. */
export function securityLabelOf(directoryFd: number): string | null {
  if (!existsSync(policyFile)) return null;
  const value = getXattr(directoryFd, attribute);
  return typeof value === 'number' ? null : value.toString('latin1').replace(/\0+$/, '');
}

/** For the data of mount(2). In quotation marks: the categories of a label (`s0:c12,c40`, of every container) have commas. Pure. */
export function contextOption(label: string | null): string[] {
  // A quotation mark or a NUL would end it early; no policy has such a label.
  return label === null || label === '' || /["\0]/.test(label) ? [] : [`context="${label}"`];
}
