/** (area terminal) */
export const terminal = {};
