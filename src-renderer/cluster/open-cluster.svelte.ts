/** The cluster that the screen looks at: its view, its timeline, and an installation of it that was cut off. */
import { Fault, type FaultRecord, type TimelineEvent } from '../../agent/contract/index.ts';
import type { ClusterView, Installation } from '../../src-main/app-api/index.ts';
import { app } from '../app.svelte.ts';
import { clusters } from '../clusters.svelte.ts';
import { mergeEvents } from '../timeline/events.ts';

const eventsAskedFor = 500;

export class OpenCluster {
  readonly id: string;
  view = $state.raw<ClusterView>({ kind: 'reading' });
  /** Newest first; null: not told yet. */
  events = $state.raw<readonly TimelineEvent[] | null>(null);
  /** Nodes whose events are missing. */
  missing = $state.raw<readonly string[]>([]);
  /** Why this cluster cannot be looked at at all. */
  fault = $state.raw<FaultRecord | null>(null);
  refreshing = $state(false);
  /** The draft whose installation of this cluster did not come to its end. */
  interruptedDraft = $state<string | null>(null);

  constructor(id: string) {
    this.id = id;
    const known = clusters.list?.find((one) => one.id === id);
    if (known) this.view = known.view;
  }

  /** Until the returned function is called. */
  look(): () => void {
    const forget = [
      app.on('cluster', ({ cluster, view }) => {
        if (cluster === this.id) this.#take(view);
      }),
      app.on('timeline', ({ cluster, events }) => {
        if (cluster === this.id) this.events = mergeEvents(this.events ?? [], events);
      }),
      app.on('installation', (installation) => this.#takeInstallation(installation)),
      app.on('drafts', () => void this.#readInstallations()),
      app.whenConnected(() => void this.#begin()),
    ];
    return () => {
      for (const one of forget) one();
      app.call('lookAt', { cluster: null }).catch(() => undefined);
    };
  }

  async #begin(): Promise<void> {
    try {
      await app.call('lookAt', { cluster: this.id });
      this.fault = null;
    } catch (error) {
      this.fault = Fault.from(error).toRecord();
      return;
    }
    await Promise.all([this.#readTimeline(), this.#readInstallations()]);
  }

  #take(view: ClusterView): void {
    const before = this.view;
    this.view = view;
    // A server that could not be asked for its events can be asked now.
    const answers = view.kind === 'read' && view.status.nodes.filter((node) => node.reachable).map(({ name }) => name);
    if (answers && (before.kind !== 'read' || this.missing.some((node) => answers.includes(node))))
      void this.#readTimeline();
  }

  #readingTimeline = false;
  async #readTimeline(): Promise<void> {
    if (this.#readingTimeline) return;
    this.#readingTimeline = true;
    try {
      const { events, missing } = await app.call('timeline', { cluster: this.id, limit: eventsAskedFor });
      this.events = mergeEvents(this.events ?? [], events);
      this.missing = missing;
    } catch {
      // Why nobody answers stands on top already; what is known of the past stays.
      this.events ??= [];
    } finally {
      this.#readingTimeline = false;
    }
  }

  async #readInstallations(): Promise<void> {
    try {
      const drafts = await app.call('drafts', {});
      const installations = await Promise.all(drafts.map(({ id }) => app.call('installation', { draft: id })));
      this.interruptedDraft = null;
      for (const installation of installations) if (installation) this.#takeInstallation(installation);
    } catch {
      // Without it only the hint at the installation is missing.
    }
  }
  #takeInstallation({ cluster, draft, state }: Installation): void {
    if (cluster !== this.id) return;
    if (state === 'failed' || state === 'interrupted') this.interruptedDraft = draft;
    else if (this.interruptedDraft === draft) this.interruptedDraft = null;
  }

  async refresh(): Promise<void> {
    if (this.refreshing) return;
    this.refreshing = true;
    try {
      this.#take(await app.call('refresh', { cluster: this.id }));
      this.fault = null;
    } catch (error) {
      this.fault = Fault.from(error).toRecord();
    } finally {
      this.refreshing = false;
    }
  }
}
