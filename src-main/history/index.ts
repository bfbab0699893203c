export type { HistoryRecorder } from './recorder.ts';
