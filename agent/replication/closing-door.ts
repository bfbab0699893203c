/** In which order a directory is closed whose files others may have written to. */

export interface OpenDoor {
  /** No cover lies over it. */
  readonly isOpen: boolean;
  /** It has been found open before, by this process. */
  readonly wasOpen: boolean;
  /** Nobody ordinary can have been started before: see boot.ts. Asked only when it matters. */
  readonly isBooting: () => boolean;
  /** What was agreed about this copy does not hold any more; durable when it returns. */
  readonly endAgreement: () => void;
  readonly cover: () => void;
}

/**
 * That it stood open is on the disk before the cover hides it: whoever comes after a process that was killed in between finds one or the other. A
 * cover does not survive a boot: that there is none yet while the machine boots says nothing.
 */
export function closeDoor(door: OpenDoor): void {
  if (door.wasOpen || (door.isOpen && !door.isBooting())) door.endAgreement();
  if (door.isOpen) door.cover();
}
