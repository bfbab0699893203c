/** (area faults) */
export const faults = {};
