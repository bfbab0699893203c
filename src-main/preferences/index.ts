export { createPreferencesPart, type PreferencesOptions } from './preferences-part.ts';
