/** (area checks) */
export const checks = {};
