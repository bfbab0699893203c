/**
 * What the last sync through one open file has covered, so that another one with nothing to do is answered at once: after an O_DSYNC write the kernel asks for one, though
 * the write was answered from both disks. Of each open file by itself: an error of writing back is told once to each, and what one has heard the others have not.
 *
 * Whoever knows nothing (a restart, another role, another link) syncs.
 */
export class LastSync {
  /** What the peer acknowledges once its disk has it. 0: no peer was asked, and nothing is covered. */
  sequence = 0;
  /** `node.changed` as it began. */
  #changed = 0;
  #session = 0;
  #dataOnly = true;
  /** On the own disk. */
  #succeeded = false;

  /** Before it reaches either disk. */
  begin(changed: number, sequence: number, session: number, dataOnly: boolean): void {
    this.sequence = sequence;
    this.#changed = changed;
    this.#session = session;
    this.#dataOnly = dataOnly;
    this.#succeeded = false;
  }

  /** The own disk has it. */
  succeed(): void {
    this.#succeeded = true;
  }

  /** One that begins now would bring nothing to the own disk, nor to the peer's once `sequence` is acknowledged. */
  covers(changed: number, session: number, dataOnly: boolean): boolean {
    return (
      this.#succeeded &&
      this.sequence !== 0 &&
      this.#changed === changed &&
      this.#session === session &&
      (dataOnly || !this.#dataOnly)
    );
  }
}
