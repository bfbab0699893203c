export { createHistoryPart, type HistoryOptions, type HistoryPart } from './part.ts';
export type { HistoryRecorder } from './recorder.ts';
