/** The checks before an installation, by code. English stands in each check itself; what a screen words anew takes its place. */
import type { CheckWordings } from '../wizard-words.ts';

export const checks: CheckWordings = {};
