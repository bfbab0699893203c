import type { Messages } from '../messages.ts';

export const terminal: Messages['terminal'] = {};
