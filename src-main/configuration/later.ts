/** What other versions of Holdfast know and this one refuses by name: nothing that a file asks for is ever ignored. */
import type { ProblemAt } from './problem.ts';

type Path = readonly (string | number)[];

function refused(path: Path, what: string, remedy: string, atKey = false): ProblemAt {
  return { code: 'not-in-this-version', message: `${what} is not in this version of Holdfast.`, remedy, path, atKey };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function inModule(module: Record<string, unknown>, path: Path): ProblemAt[] {
  const found: ProblemAt[] = [];
  const kind = module['kind'];
  if (kind === 'farm' || kind === 'vm') {
    found.push(refused([...path, 'kind'], `\`kind: ${kind}\``, 'Write `kind: mirror`.'));
    return found;
  }
  if ('library' in module) {
    found.push(refused([...path, 'library'], '`library`', 'Write `start:` and `stop:` commands instead.', true));
  }
  const replicate = module['replicate'];
  if (Array.isArray(replicate)) {
    replicate.forEach((entry: unknown, index) => {
      if (!isRecord(entry)) return;
      for (const key of ['include', 'exclude'] as const) {
        if (key in entry) {
          found.push(
            refused(
              [...path, 'replicate', index, key],
              `\`${key}\``,
              'Remove it: the whole directory is replicated.',
              true,
            ),
          );
        }
      }
    });
  }
  return found;
}

export function findLaterFeatures(root: unknown): ProblemAt[] {
  if (!isRecord(root)) return [];
  const found: ProblemAt[] = [];
  for (const key of ['library', 'notifications', 'metrics', 'roles'] as const) {
    if (key in root) found.push(refused([key], `\`${key}\``, 'Remove it.', true));
  }
  const modules = root['modules'];
  if (Array.isArray(modules)) {
    modules.forEach((module: unknown, index) => {
      if (isRecord(module)) found.push(...inModule(module, ['modules', index]));
    });
  }
  return found;
}
