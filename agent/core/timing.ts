/**
 * Every duration of the decision core, with the arithmetic that ties them together. One number is configured: the detection time D.
 *
 *   heartbeat interval h = D / 6          five may be lost before the sixth is missed; the runtime repeats each three times in between,
 *                                         so that a pause of 0.8 D beside lost frames is not taken for a loss
 *   lease L              = D × 2 / 3      renewed every h: three renewals may be lost. A pause of up to 0.8 D may outlast L: the
 *                                         holder is then suspended (answers nothing), asks again and goes on, because nobody
 *                                         else asks before D.
 *   a voter keeps a grant for L × (1 + ρ) / (1 − ρ) + margin after the request arrived, the holder counts from when it was *sent*;
 *   with both clocks off by ρ in opposite directions the voter still frees it last.
 *   a replicator that has ended is waited for R = 3 s: systemd starts it again at once, it needs 0.3 s to come up (1.2 s were seen on a machine that was busy
 *                         with something else) and up to 0.1 s to be found. The lease is renewed meanwhile. Whose replicator does not come back gives up
 *                         after R: as long as the other server's loss is waited for by default, so that fence and start stay below the 5 s of a failover.
 *   a replicator that is there and says nothing is ended after S = 5 s, and then waited for as one that has ended. Its event loop is judged, not its disk: files are
 *   its lanes' business, and what the loop does itself takes milliseconds (0.3 s were seen: many doors at once). S = 10 × the interval at which it is asked, and
 *   more than R + D/2, so that whatever is given up for other reasons was given up before. The application's pause is S + 0.5 s until it is noticed
 *   + 0.3 s until it is killed + a start of 0.3 to 1.2 s, about 7 s; systemd's own watchdog would leave it waiting for 60 s.
 *   a ping witness is asked every h, and an answer counts from when its ping was *sent*. Whoever runs keeps the right for L after the last answer (or the peer's);
 *   whoever wants to begin something needs an answer younger than D / 2: a node that has just been cut off heard the peer until then, and begins nothing before D.
 *   So it stops L after the cut, and the other one begins D - h after it at the earliest.
 *   takeover begins at D ≥ that, so that in the usual case the lost node's grants have run out when its loss is noticed.
 */
export interface Timing {
  readonly heartbeatIntervalMs: number;
  readonly detectionMs: number;
  readonly leaseMs: number;
  /** How long a voter honours a grant. */
  readonly grantMs: number;
  /** A holder that could not renew for this long after its lease ran out gives up and fences itself for good. */
  readonly suspendedMaxMs: number;
  /** After its start a node waits this long for the other one before it asks to start alone. */
  readonly settleMs: number;
  /** How old an answer of the ping witness may be for something new to begin without the peer. */
  readonly reachFreshMs: number;
  /** How long an application that waits for its files is left to wait for a replicator that is being started again; 0: not at all. */
  readonly replicatorPatienceMs: number;
}

/** Bound of a clock's rate error, both ways, in production. Quartz is below 0.01 %; a disciplined clock slews by 0.05 % at most. */
export const clockRateErrorMax = 0.001;
/** Of the longest detection time, 60 s. Whoever asks for more gets no answer from any voter. */
export const leaseMsMax = 40_000;
const replicatorPatienceMs = 3000;
export const replicatorSilenceMs = 5000;
/** Orders that its event loop carries out itself, entry by entry or directory by directory: half of what systemd leaves it. */
export const replicatorLongStepMs = 30_000;
/** Kernel timers and packet handling between "the grant ran out" and "nothing leaves any more". */
const kernelMarginMs = 100;

export function timingFor(detectionMs: number, rateError: number = clockRateErrorMax): Timing {
  const leaseMs = Math.floor((detectionMs * 2) / 3);
  return {
    heartbeatIntervalMs: Math.floor(detectionMs / 6),
    detectionMs,
    leaseMs,
    grantMs: Math.ceil((leaseMs * (1 + rateError)) / (1 - rateError)) + kernelMarginMs,
    suspendedMaxMs: detectionMs,
    settleMs: detectionMs * 2,
    reachFreshMs: Math.floor(detectionMs / 2),
    replicatorPatienceMs,
  };
}
