/** Seeds that once broke an invariant. They stay. */
export const formerFailures: readonly number[] = [
  303, 703, 853, 1026, 1560, 1871, 2203, 2572, 2774, 2793, 2993, 3103, 3873, 4365, 5587, 11399,
  // Of the faults as they are planned now.
  64, 150, 406, 530, 531, 913, 924, 1051, 1188, 1209, 100_169, 100_275, 100_328, 100_494, 100_520, 100_786, 110_465,
  118_189,
];
