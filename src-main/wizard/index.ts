export { createWizardPart, type WizardPart, type WizardPartOptions } from './wizard-part.ts';
export type { WizardServers } from './wizard-servers.ts';
