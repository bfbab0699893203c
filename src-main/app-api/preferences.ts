/** The app itself: what it is, and what this person likes. */
import { z } from 'zod';

/** Null: as the system says. */
export const preferencesSchema = z.object({
  language: z.enum(['en', 'fr']).nullable(),
  theme: z.enum(['light', 'dark']).nullable(),
});
export type StoredPreferences = z.infer<typeof preferencesSchema>;

export const preferencesMethods = {
  app: {
    params: z.object({}),
    result: z.object({
      version: z.string(),
      host: z.enum(['browser', 'electron']),
      platform: z.string(),
      /** Secrets can be kept beyond the end of the app. */
      keychain: z.boolean(),
      preferences: preferencesSchema,
    }),
  },
  savePreferences: { params: preferencesSchema, result: z.null() },
} as const;
