/** Which component asks which question. */
import type { Component } from 'svelte';
import type { WizardStep } from '../../src-main/app-api/index.ts';
import AddressStep from './AddressStep.svelte';
import ApplicationStep from './ApplicationStep.svelte';
import CheckersStep from './CheckersStep.svelte';
import ChecksStep from './ChecksStep.svelte';
import DataStep from './DataStep.svelte';
import FingerprintsStep from './FingerprintsStep.svelte';
import InstallStep from './InstallStep.svelte';
import NetworksStep from './NetworksStep.svelte';
import PreferredStep from './PreferredStep.svelte';
import ReviewStep from './ReviewStep.svelte';
import SafetyStep from './SafetyStep.svelte';
import ServersStep from './ServersStep.svelte';
import SyncStep from './SyncStep.svelte';
import type { WizardState } from './wizard-state.svelte.ts';

export const stepComponents: Readonly<Record<WizardStep, Component<{ wizard: WizardState }>>> = {
  servers: ServersStep,
  fingerprints: FingerprintsStep,
  checks: ChecksStep,
  application: ApplicationStep,
  data: DataStep,
  address: AddressStep,
  checkers: CheckersStep,
  networks: NetworksStep,
  safety: SafetyStep,
  preferred: PreferredStep,
  review: ReviewStep,
  install: InstallStep,
  sync: SyncStep,
};
