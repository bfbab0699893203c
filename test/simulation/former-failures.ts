/** Seeds that once broke an invariant. They stay. */
export const formerFailures: readonly number[] = [];
