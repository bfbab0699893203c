/** (area wizard) */
export const wizard = {};
