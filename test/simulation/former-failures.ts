/** Seeds that once broke an invariant. They stay. */
export const formerFailures: readonly number[] = [
  303, 703, 853, 1026, 1560, 1871, 2203, 2572, 2774, 2793, 2993, 3103, 3873, 4365, 5587, 11399,
];
