/** By fault code: what happened, the likely cause, what to do. A fault without words here shows its own English sentence. */
import { application } from './faults/application.ts';
import { installation } from './faults/installation.ts';
import { operation } from './faults/operation.ts';
import { reach } from './faults/reach.ts';

export const faults = { ...application, ...installation, ...operation, ...reach };
