/** An invariant does not hold. The words before the colon say which. */
export class Breach extends Error {}
