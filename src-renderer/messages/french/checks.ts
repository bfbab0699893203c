import type { Messages } from '../messages.ts';

export const checks: Messages['checks'] = {};
