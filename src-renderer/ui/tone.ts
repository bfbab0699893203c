/** What a colour means. Each has its own shape besides its colour (Mark.svelte). */
export type Tone = 'good' | 'working' | 'attention' | 'bad' | 'unknown';
