import type { Messages } from '../messages.ts';

export const wizard: Messages['wizard'] = {};
