/** Shells in tabs: this laptop's, and those of servers over SSH; they need no agent. A shell ends with the screen that opened it. */
import { z } from 'zod';
import { machineSchema } from './servers.ts';

const terminalId = z.object({ terminal: z.string() });
const size = { columns: z.number().int().min(1).max(1000), rows: z.number().int().min(1).max(1000) };

/** The screen acknowledges what it has drawn; with more than this unacknowledged, the shell is not read any more. */
export const unacknowledgedCharactersMax = 100_000;

export const terminalMethods = {
  /** Fault: terminal-unavailable (with the reason). */
  openLocalTerminal: { params: z.object(size), result: terminalId },
  /** Faults: as connectServer. */
  openServerTerminal: {
    params: z.object({
      server: z.union([z.object({ cluster: z.string(), node: z.string() }), z.object({ machine: machineSchema })]),
      ...size,
    }),
    /** `user`: who is logged in there; commands that need root are typed with sudo for others. */
    result: terminalId.extend({ user: z.string().optional() }),
  },
  typeInTerminal: { params: z.object({ terminal: z.string(), data: z.string() }), result: z.null() },
  resizeTerminal: { params: z.object({ terminal: z.string(), ...size }), result: z.null() },
  acknowledgeTerminal: { params: z.object({ terminal: z.string(), characters: z.number().int() }), result: z.null() },
  closeTerminal: { params: terminalId, result: z.null() },
} as const;

export const terminalEvents = {
  terminalData: z.object({ terminal: z.string(), data: z.string() }),
  /** `code` null: ended by a signal or with its connection; `fault` says why. */
  terminalEnded: z.object({ terminal: z.string(), code: z.number().nullable(), fault: z.string().nullable() }),
} as const;
