/** What stands in the chosen directories, on each node; also where an agent covers them already. */
import type { VolumeInspection } from '../../agent/contract/control-api.ts';
import { clusterRecordSchema } from '../../agent/contract/configuration.ts';
import type { Copy } from '../app-api/index.ts';
import {
  layout,
  measureCopies,
  openAgent,
  usualLimits,
  type ConnectedMachine,
  type CopyMeasure,
} from '../install/index.ts';
import type { Transport } from '../ssh/index.ts';

/** Below a cover only the agent sees. Empty where none answers. */
async function inspected(
  transport: Transport,
  paths: readonly string[],
  programVersion: string,
  signal: AbortSignal,
): Promise<readonly VolumeInspection[]> {
  if (paths.length === 0) return [];
  try {
    const { stdout } = await transport.command(`cat ${layout.clusterRecord}`, { elevated: true, signal });
    const record = clusterRecordSchema.parse(JSON.parse(stdout));
    const volumes = record.modules.flatMap((module) => module.volumes).filter(({ path }) => paths.includes(path));
    const { client } = await openAgent(transport, programVersion, signal);
    try {
      return await client.call('inspect', { volumes: volumes.map(({ id, path }) => ({ id, path })) }, signal);
    } finally {
      client.close();
    }
  } catch {
    // An agent that is down or of another version: the cover hides what it hides, and that is told.
    signal.throwIfAborted();
    return [];
  }
}

function newestOf(text: string | null, path: string): Copy['newestFile'] {
  const [, name, at] = /^(.*) \((\d{4}-\d\d-\d\dT[\d:.]+Z)\)$/s.exec(text ?? '') ?? [];
  return name === undefined || at === undefined ? null : { path: `${path}/${name}`, at };
}

function copyOf(node: string, measure: CopyMeasure, inspection: VolumeInspection | undefined): Copy {
  const { path, exists, empty, files, bytes, newestFile, version, atLeast, mount } = measure;
  if (mount !== 'cover') return { node, path, exists, empty, files, bytes, newestFile, version, atLeast };
  return {
    node,
    path,
    exists: true,
    empty: inspection?.empty ?? false,
    files: inspection?.entries ?? null,
    bytes: inspection?.bytes ?? null,
    newestFile: newestOf(inspection?.newestFile ?? null, path),
    version: null,
    // Unknown, or more than the agent counts.
    atLeast: inspection === undefined ? false : inspection.bytes === null && !inspection.empty,
  };
}

export async function copies(
  machines: readonly ConnectedMachine[],
  paths: readonly string[],
  programVersion: string,
  signal: AbortSignal,
): Promise<Copy[]> {
  const found = await Promise.all(
    machines.map(async ({ name, transport }) => {
      const measures = await measureCopies(transport, paths, { signal, limits: usualLimits });
      const covered = measures.filter(({ mount }) => mount === 'cover').map(({ path }) => path);
      const inspections = await inspected(transport, covered, programVersion, signal);
      return measures.map((measure) =>
        copyOf(
          name,
          measure,
          inspections.find(({ path }) => path === measure.path),
        ),
      );
    }),
  );
  return found.flat();
}
