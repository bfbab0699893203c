/** The app itself, and what this person likes: language and theme, kept for the next start. */
import path from 'node:path';
import { z } from 'zod';
import { Fault } from '../../agent/contract/index.ts';
import type { PreferencesHandlers, StoredPreferences } from '../app-api/index.ts';
import { preferencesSchema } from '../app-api/preferences.ts';
import type { AppPart } from '../app.ts';
import { readStateFile, writeStateFile } from '../state-file.ts';

export interface PreferencesOptions {
  readonly stateDirectory: string;
  readonly version: string;
  readonly host: 'browser' | 'electron';
  /** Secrets can be kept beyond the end of the app. */
  readonly keychain: boolean;
}

const fileSchema = z.object({ format: z.literal(1), ...preferencesSchema.shape });
const asTheSystemSays: StoredPreferences = { language: null, theme: null };

export function createPreferencesPart(options: PreferencesOptions): AppPart<PreferencesHandlers> {
  const file = path.join(options.stateDirectory, 'preferences.json');

  async function app() {
    const stored = await readStateFile(file, fileSchema);
    return {
      version: options.version,
      host: options.host,
      platform: process.platform,
      keychain: options.keychain,
      preferences: stored === null ? asTheSystemSays : { language: stored.language, theme: stored.theme },
    };
  }

  async function savePreferences(preferences: StoredPreferences): Promise<null> {
    try {
      await writeStateFile(file, { format: 1, ...preferences });
    } catch (error) {
      throw new Fault(
        'preferences-not-saved',
        {
          message: `${file} cannot be written.`,
          remedy: 'Check the rights of that directory and the space on its disk.',
        },
        { file },
        error,
      );
    }
    return null;
  }

  return {
    serve: () => ({ app, savePreferences }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
