/** (area measurements) */
export const measurements = {};
