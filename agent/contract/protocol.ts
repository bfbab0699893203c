/**
 * Versions of what travels between processes. `major` must be equal; one minor apart may talk (an upgrade rolls).
 * Said first on every connection, before any other message.
 */
import * as z from 'zod';

export const protocolVersion = { major: 1, minor: 2 } as const;

/** First line of every RPC connection, from both sides; anything else on the line is not Holdfast. */
export const protocolMagic = 'holdfast-rpc';

export const helloSchema = z.object({
  magic: z.literal(protocolMagic),
  interfaceName: z.string(),
  major: z.number().int(),
  minor: z.number().int(),
  /** Version of the program that speaks, for messages to people only. */
  programVersion: z.string(),
});
export type Hello = z.infer<typeof helloSchema>;

export function compatible(theirs: { major: number; minor: number }): boolean {
  return theirs.major === protocolVersion.major && Math.abs(theirs.minor - protocolVersion.minor) <= 1;
}
