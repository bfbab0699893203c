import type { Messages } from '../messages.ts';
import { app } from './app.ts';
import { checks } from './checks.ts';
import { cluster } from './cluster.ts';
import { faults } from './faults.ts';
import { measurements } from './measurements.ts';
import { practice } from './practice.ts';
import { terminal } from './terminal.ts';
import { typeset } from './typeset.ts';
import { wizard } from './wizard.ts';

export const french: Messages = typeset({
  language: 'fr',
  app,
  checks,
  cluster,
  faults,
  measurements,
  practice,
  terminal,
  wizard,
});
