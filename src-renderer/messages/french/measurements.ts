import type { Messages } from '../messages.ts';

export const measurements: Messages['measurements'] = {};
