/** Comparisons of the two copies, as people order and hear of them: which volumes take part, and an event for what each has come to. */
import type { EventDraft, ModuleDefinition, Verification, VolumeStatus } from '../contract/index.ts';
import type { ReplicatorPort } from './ports.ts';

const pathsToldMax = 5;

export interface VolumeVerification {
  readonly volume: string;
  readonly path: string;
  /** Null: none in this role. */
  readonly verification: Verification | null;
}

type Volumes = ReadonlyMap<string, VolumeStatus> | null;

export class Comparisons {
  private readonly replicator: ReplicatorPort;
  private readonly emit: (event: EventDraft) => void;
  /** By volume: what was last told. */
  private readonly told = new Map<string, Verification | null>();

  constructor(replicator: ReplicatorPort, emit: (event: EventDraft) => void) {
    this.replicator = replicator;
    this.emit = emit;
  }

  /** Faults: verify-not-possible, not-primary. */
  async begin({ name, volumes }: ModuleDefinition, repair: boolean): Promise<void> {
    for (const { id } of volumes) await this.replicator.call('verify', { volume: id, repair });
    this.emit({
      module: name,
      code: 'verify-began',
      message: 'The copies of both servers are compared.',
      severity: 'info',
      evidence: { repair },
    });
  }

  async stop({ volumes }: ModuleDefinition): Promise<void> {
    for (const { id } of volumes) await this.replicator.call('stopVerify', { volume: id });
  }

  of({ volumes }: ModuleDefinition, all: Volumes): VolumeVerification[] {
    return volumes.map(({ id, path }) => ({ volume: id, path, verification: all?.get(id)?.verification ?? null }));
  }

  /** At every change of a volume. */
  look(modules: Iterable<{ readonly definition: ModuleDefinition }>, all: Volumes): void {
    // Nobody can be asked: what was told stays told.
    if (all === null) return;
    for (const { definition } of modules)
      for (const { volume, path, verification } of this.of(definition, all)) {
        const before = this.told.get(volume) ?? null;
        this.told.set(volume, verification);
        if (verification) this.tell(definition.name, path, before, verification);
      }
  }

  private tell(module: string, path: string, before: Verification | null, now: Verification): void {
    const { differing, minor, files, comparedBytes, differences, state, unreadable = 0 } = now;
    const paths = differences
      .slice(0, pathsToldMax)
      .map((one) => `${one.path}${one.directory === true ? '/' : ''} (${one.kinds.join(', ')})`);
    const evidence = { path, differing, minor, unreadable, files, comparedBytes, differences: paths.join('; ') };
    // At once: from here on nothing fails over to that copy.
    if (differing > 0 && (before === null || before.differing === 0))
      this.emit({
        module,
        code: 'copies-differ',
        severity: 'bad',
        message: `The secondary’s copy of ${path} differs: ${paths.join('; ')}. It is not used until it has been repaired.`,
        evidence,
      });
    if (before?.state === state) return;
    // A result from before this process began: good news were told, bad ones may be told again.
    if (state === 'equal' && before === null) return;
    if (state === 'equal')
      this.emit({ module, code: 'verify-equal', severity: 'good', message: equalMessage(path, now), evidence });
    if (state === 'different')
      this.emit({
        module,
        code: 'verify-different',
        severity: 'bad',
        message: `The comparison of ${path} has ended: ${differing} of ${files} files and directories differ${unreadable === 0 ? '' : `, ${unreadable} times this server’s disk did not read`}.`,
        evidence,
      });
    if (state === 'repairing')
      this.emit({
        module,
        code: 'verify-repairing',
        severity: 'attention',
        message: `The secondary’s copy of ${path} is made equal to the primary’s.`,
        evidence,
      });
    if (state === 'repaired')
      this.emit({
        module,
        code: 'verify-repaired',
        severity: 'good',
        message: `The secondary’s copy of ${path} has been repaired.`,
        evidence,
      });
    if (state === 'stopped' || state === 'interrupted')
      this.emit({
        module,
        code: state === 'stopped' ? 'verify-stopped' : 'verify-interrupted',
        severity: state === 'stopped' ? 'info' : 'attention',
        message:
          state === 'stopped'
            ? `The comparison of ${path} was stopped.`
            : `The comparison of ${path} ended before everything was compared: the servers were separated.`,
        evidence,
      });
  }
}

function equalMessage(path: string, { files, minor }: Verification): string {
  const rest = minor === 0 ? '' : ` ${minor} differ in times or holes only.`;
  return `Both copies of ${path} are equal: ${files} files compared.${rest}`;
}
