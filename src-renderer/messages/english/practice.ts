/** (area practice) */
export const practice = {};
