import type { Messages } from '../messages.ts';
import { application } from './faults/application.ts';
import { installation } from './faults/installation.ts';
import { operation } from './faults/operation.ts';
import { reach } from './faults/reach.ts';

export const faults: Messages['faults'] = { ...application, ...installation, ...operation, ...reach };
