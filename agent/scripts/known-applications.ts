/**
 * Where the services of the started applications were found. Kept beside the process, until the machine starts anew: a control plane that is restarted has to know
 * at once what its predecessor guarded, and what was started by a command that has been changed since.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';

const schema = z.object({
  /** What the service manager is told to stop when the application is ended. */
  units: z.array(z.string()).readonly(),
  /** Control groups, from the root of the hierarchy. */
  paths: z.array(z.string()).readonly(),
  /** False: the paths are a guess. */
  answered: z.boolean(),
});
export type KnownApplication = z.output<typeof schema>;

const suffix = '.json';

export class KnownApplications {
  private readonly directory: string | null;
  private readonly modules = new Map<string, KnownApplication>();

  /** Null: kept in memory only. */
  constructor(directory: string | null) {
    this.directory = directory;
    if (directory === null) return;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(directory).filter((one) => one.endsWith(suffix))) {
      const known = read(path.join(directory, name));
      if (known !== null) this.modules.set(name.slice(0, -suffix.length), known);
    }
  }

  get(module: string): KnownApplication | undefined {
    return this.modules.get(module);
  }
  others(module: string): readonly KnownApplication[] {
    return [...this.modules].filter(([name]) => name !== module).map(([, known]) => known);
  }

  set(module: string, known: KnownApplication): void {
    this.modules.set(module, known);
    if (this.directory === null) return;
    const file = path.join(this.directory, module + suffix);
    writeFileSync(`${file}.new`, JSON.stringify(known), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  forget(module: string): void {
    this.modules.delete(module);
    if (this.directory !== null) rmSync(path.join(this.directory, module + suffix), { force: true });
  }
}

/** Null: what is damaged is asked for again. */
function read(file: string): KnownApplication | null {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}
