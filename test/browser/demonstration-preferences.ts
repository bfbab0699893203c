import type { PreferencesHandlers, StoredPreferences } from '../../src-main/app-api/index.ts';
import { DemonstrationPart } from './demonstration-part.ts';

export class DemonstrationPreferences extends DemonstrationPart<PreferencesHandlers> {
  stored: StoredPreferences = { language: null, theme: null };

  protected handlers(): PreferencesHandlers {
    return {
      app: async () => ({
        version: '0.1.0',
        host: 'browser',
        platform: 'linux',
        keychain: false,
        preferences: this.stored,
      }),
      savePreferences: async (preferences) => {
        this.stored = preferences;
        return null;
      },
    };
  }
}
