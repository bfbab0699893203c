/** What an apply is given, what it tells while it runs, and what came of it. */
import type { ClusterRecord, Configuration } from '../../agent/contract/configuration.ts';
import type { Check, Facts } from './check.ts';
import type { Connect } from './machines.ts';
import type { PackageSources } from './packages.ts';

export interface PlannedStep {
  readonly id: string;
  readonly host: string | null;
  /** What is done, for screens: upload-runtime, make-keys, configure, initialise, start … */
  readonly kind: string;
  readonly facts: Facts;
  /** English. */
  readonly title: string;
}

export type InstallEvent =
  | { readonly kind: 'phase'; readonly title: string }
  | { readonly kind: 'checked'; readonly checks: readonly Check[] }
  | { readonly kind: 'planned'; readonly steps: readonly PlannedStep[] }
  | { readonly kind: 'step-started'; readonly step: PlannedStep }
  | { readonly kind: 'step-bytes'; readonly step: PlannedStep; readonly doneBytes: number; readonly totalBytes: number }
  | {
      readonly kind: 'step-done';
      readonly step: PlannedStep;
      readonly note?: string;
      /** `node:path` of what this step moved aside. */
      readonly keptAt?: readonly string[];
    }
  | { readonly kind: 'step-failed'; readonly step: PlannedStep };

export interface ApplyOptions {
  readonly configuration: Configuration;
  readonly connect: Connect;
  readonly packages: PackageSources;
  readonly resourcesDirectory: string;
  readonly programVersion: string;
  /** `--good`: which copy is the good one when both servers have data. */
  readonly good?: string | null;
  /** Which machines were looked at when it was decided what to do, by name; of those that are not named nothing is known. */
  readonly machineIds?: ReadonlyMap<string, string>;
  /** `--replace-record`: the directory carries the record of another cluster, and is to belong to this one. */
  readonly replaceRecord?: boolean;
  /** Plan, report, and change nothing. */
  readonly planOnly?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Ends it between two steps. */
  readonly stopAfterStep?: AbortSignal | undefined;
  readonly onEvent?: (event: InstallEvent) => void;
}

export interface ApplyOutcome {
  readonly steps: readonly PlannedStep[];
  /** False: everything was as it should be. */
  readonly changed: boolean;
  readonly record: ClusterRecord;
  /** Where former content of directories was put. */
  readonly keptAt: readonly string[];
}
