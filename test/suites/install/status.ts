import { expect } from 'vitest';
import { clusterStatusSchema, type ClusterStatus } from '../../../agent/contract/status.ts';
import type { Site } from './site.ts';

/** `holdfast status --json`, checked against its schema. */
export async function readClusterStatusOf(site: Site): Promise<ClusterStatus> {
  const result = await site.holdfast('status', '--json', '--cluster', site.file);
  expect([0, 3], result.stderr).toContain(result.code);
  const status = clusterStatusSchema.parse(JSON.parse(result.stdout));
  expect(result.code).toBe(status.protected ? 0 : 3);
  return status;
}
