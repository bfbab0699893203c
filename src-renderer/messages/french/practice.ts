import type { Messages } from '../messages.ts';

export const practice: Messages['practice'] = {};
